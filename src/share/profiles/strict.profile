# strict: close everything that batten can see but ssh and inetd itself
#
# For a host that offers nothing but a login to its administrators. Most hosts need some of this:
# take what you need out of it with a profile of your own in /etc/batten/profiles:
#
#     include strict
#     keep httpd ntpd

profile-version 1

# What inetd starts, whether batten knows it or not.
default disable

# Logins, mail, files, chat.
disable adb finger telnet telnets imap imaps pop pops ftp ftps tftp shell login
disable exec smtp talk comsat uucp nntp rsync cvspserver git gopher samba afp
disable vnc ingreslock

# Small services, printing, management.
disable echo discard chargen daytime time qotd tcpmux systat netstat whois
disable ident dict bootps rarp printer jetdirect ipp sane swat linuxconf
disable webmin amanda snmp cwmp upnp mdns distcc kadmin x11 xdm dtspc

# Remote procedure calls: NFS, NIS and their kin.
disable statd lockd portmap mountd nfs pcnfsd ugidd rusersd rstatd rwalld
disable sprayd rexd rquotad ttdbserver cmsd kcms sadmind snmpxdmi cachefsd
disable selection bootparamd ypserv ypbind yppasswdd keyserv amd etherstatd

# Daemons of their own.
disable named dnsmasq resolver rwhod routed gated timed ntpd httpd proxy mysql
disable postgresql ldap radius irc redis memcached l2tp

# The way in, and the daemon that the lines above are taken from.
keep ssh inetd
