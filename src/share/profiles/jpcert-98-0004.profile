# jpcert-98-0004: what the JPCERT/CC alert of July 1998 asks for in its measure (3)
#
# In those days whole domains were scanned for finger, telnet, imap and pop, and for the name and
# NFS servers. Whoever does not need these services closes them. Nothing else is touched.
#
# To keep one of them, write a profile of your own in /etc/batten/profiles:
#
#     include jpcert-98-0004
#     keep imaps

profile-version 1

# Comment out in inetd.conf, or wherever else they are started.
disable finger telnet
disable imap imaps pop pops

# Comment out in the rc scripts, and stop.
disable named@rcscript statd@rcscript

default keep
