(* Tests of Batten_Inetd: what each kind of logical line is read as, and that toggling a line changes
   one byte. The type check of the module itself is the first test of all. *)
module Test_batten_inetd =

test Batten_Inetd.line get "telnet	stream  tcp nowait.400	root	/usr/sbin/tcpd in.telnetd  \n" =
  { "entry"
    { "service" = "telnet" } { "socket" = "stream" }
    { "word" = "tcp" } { "word" = "nowait.400" } { "word" = "root" }
    { "word" = "/usr/sbin/tcpd" } { "word" = "in.telnetd" } }

test Batten_Inetd.line get "  rusersd/2-3 tli rpc/datagram_v,circuit_v wait root /x\n" =
  { "entry"
    { "service" = "rusersd/2-3" } { "socket" = "tli" }
    { "word" = "rpc/datagram_v,circuit_v" } { "word" = "wait" } { "word" = "root" }
    { "word" = "/x" } }

test Batten_Inetd.line get "http stream:httpready tcp\nrstatd sunrpc_udp udp\n" =
  { "entry" { "service" = "http" } { "socket" = "stream:httpready" } { "word" = "tcp" } }
  { "entry" { "service" = "rstatd" } { "socket" = "sunrpc_udp" } { "word" = "udp" } }

test Batten_Inetd.line get "## telnet stream tcp nowait root /x\n" =
  { "disabled"
    { "marker" = "## " } { "service" = "telnet" } { "socket" = "stream" }
    { "word" = "tcp" } { "word" = "nowait" } { "word" = "root" } { "word" = "/x" } }

test Batten_Inetd.line get "#\n# <service> <type> <proto>\n\t# telnet is a service\n#telnet stream\n" =
  { "comment" = "#" }
  { "comment" = "# <service> <type> <proto>" }
  { "comment" = "\t# telnet is a service" }
  { "comment" = "#telnet stream" }

test Batten_Inetd.line get "127.0.0.1:\n [::1]: \n:\n*:\n" =
  { "default" = "127.0.0.1:" } { "default" = "[::1]:" } { "default" = ":" } { "default" = "*:" }

test Batten_Inetd.line get ".include /etc/inetd.d/*\n.include\n.include a b\n" =
  { "include" = "/etc/inetd.d/*" }
  { "unknown" = ".include" }
  { "unknown" = ".include a b" }

test Batten_Inetd.line get "5432 on protocol = udp, wait = yes;\nimap off\tuser = root;\n" =
  { "keyed" = "on" { "service" = "5432" } { "options" = " protocol = udp, wait = yes;" } }
  { "keyed" = "off" { "service" = "imap" } { "options" = "\tuser = root;" } }

test Batten_Inetd.line get "lonely\n what is this\nftp stream\nftp on\nftp strem tcp x\n\n \t\n" =
  { "unknown" = "lonely" } { "unknown" = " what is this" } { "unknown" = "ftp stream" }
  { "unknown" = "ftp on" } { "unknown" = "ftp strem tcp x" } { "blank" } { "blank" }

(* Bytes that are not ASCII, and a CR. *)
test Batten_Inetd.line get "dämon stream tcp\r\n" =
  { "entry" { "service" = "dämon" } { "socket" = "stream" } { "word" = "tcp\r" } }

test Batten_Inetd.options get " protocol = tcp ,user=root,\texec =/x, args= a b  c ;\n" =
  { "option" = "protocol" { "value" = "tcp" } }
  { "option" = "user" { "value" = "root" } }
  { "option" = "exec" { "value" = "/x" } }
  { "option" = "args" { "value" = "a" } { "value" = "b" } { "value" = "c" } }

test Batten_Inetd.options get "a = b\n" = *
test Batten_Inetd.options get "a b;\n" = *
test Batten_Inetd.options get "a = b, ;\n" = *

test Batten_Inetd.edit get "telnet stream\n\t#x\n\n##y\n" =
  { "1" { "body" = "telnet stream" } }
  { "2" { "body" = "\t#x" } }
  { "3" }
  { "4" { "disabled" } { "disabled" } { "body" = "y" } }

test Batten_Inetd.edit put "telnet\tstream  tcp \r\n  x\n\n#y\n"
  after insb "disabled" "/1/*[1]"; insb "disabled" "/2/*[1]"; set "/3/disabled" "";
        insb "disabled" "/4/*[1]"
  = "#telnet\tstream  tcp \r\n#  x\n#\n##y\n"
