(*
Module: Batten_Inetd
  One logical line of inetd.conf, and the physical lines of one entry

What the daemons read. A file is a run of logical lines; which physical lines make up a logical one
differs by system and is settled before this module sees them: it is given one logical line per
line, in which newlines, dropped comments and blanks inside quotes have been replaced byte by byte
(src/starters/inetd_cut.c). One logical line is

  line      = blank | comment | disabled | entry | keyed | default | include | unknown
  entry     = [ address ] service socket protocol wait word { word }
              word is the user, or where there is no such column the program, then the program and
              its arguments, argv[0] first: telnet stream tcp nowait root /sbin/telnetd telnetd
  keyed     = service ( "on" | "off" ) options       NetBSD: 5432 on protocol = tcp, user = root;
  default   = host ":"                               the address of the entries behind it
  include   = ".include" pattern
  disabled  = marker entry                           an entry that somebody commented out: "#",
              "# ", "##", "#<off># " and the like in front, the shape of an entry behind
  comment   = "#" anything else
  unknown   = anything else, so that every line is read

  address   = host ":"           service = [ host ":" ] name [ "/" versions ]
  socket    = "stream" "dgram" "raw" "rdm" "seqpacket" and, on System V and its kin, "tli" "xti"
              "tpi_clts" "tpi_cots" "tpi_cots_ord" "sunrpc_tcp" "sunrpc_udp"; an accept filter
              or a limit may follow a ":" or ","
  protocol  = "tcp" "udp" "tcp6" "rpc/udp" "unix" ... with sizes: "tcp,sndbuf=16k"
  wait      = "wait" "nowait" with a limit ("nowait.400", "nowait/10/5") or a flag ("wait/lc")

The other lens, edit, reads the physical lines of one entry as they are. A `disabled` node stands
for one "#" in column 1; adding or removing it changes that one byte and nothing else.
*)
module Batten_Inetd =

let eol    = del "\n" "\n"
let gap    = del /[ \t]+/ " "
let trail  = del /[ \t]*/ ""
let indent = del /[ \t]*/ ""

let word   = /[^ \t\n]+/
let name   = /[^# \t\n][^ \t\n]*/
let host   = /[^# \t\n][^ \t\n]*:|:/
let kind   = /(stream|dgram|raw|rdm|seqpacket|tli|xti|tpi_(clts|cots|cots_ord)|sunrpc_(tcp|udp))([:,][^ \t\n]*)?/
let state  = /on|off/
(* One subtraction, worked out once: they are most of what loading this module costs. *)
let odd    = word - (kind | state)

let marker = /[ \t]*#[ \t#]*/

(* ---- line ---- *)

let field (l:string) (r:regexp) = [ label l . store r ]
let columns =
  field "service" name . gap . field "socket" kind . (gap . field "word" word)+ . trail . eol

let blank    = [ label "blank" . del /[ \t]*\n/ "\n" ]
let entry    = [ label "entry" . indent . columns ]
let disabled = [ label "disabled" . field "marker" marker . columns ]
let keyed    = [ label "keyed" . indent . field "service" name . gap . store state
                 . field "options" /[ \t]+[^ \t\n][^\n]*/ . eol ]
let default  = [ label "default" . indent . store host . trail . eol ]
let include  = [ label "include" . indent . del ".include" ".include" . gap
                 . store odd . trail . eol ]

(* What is left over is spelled out word by word: taking whole lines away from "anything" makes the
   type check explode. *)
let rest     = /([ \t][^\n]*)?/
let more     = /[ \t]+[^ \t\n][^\n]*/
let short    = /[ \t]+/ . kind . /[ \t]*/
let comment  = [ label "comment"
                 . store (marker
                          | marker . name . (/[ \t]*/ | short | /[ \t]+/ . (word - kind) . rest))
                 . eol ]
let unknown  = [ label "unknown"
                 . store (/[ \t]*/
                          . ((name - host) . /[ \t]*/
                             | name . (short | /[ \t]+/ . state . /[ \t]*/)
                             | (name - ".include") . /[ \t]+/ . odd . rest
                             | ".include" . /[ \t]+/ . odd . more))
                 . eol ]

let line = (blank | comment | disabled | entry | keyed | default | include | unknown)*

(* ---- keyed: the options of one NetBSD entry, quotes and comments already neutral ---- *)

let value   = [ label "value" . store /[^ \t\n,;=][^ \t\n,;]*/ ]
let option  = [ label "option" . indent . store /[A-Za-z_]+/ . del /[ \t]*=/ " ="
                . (indent . value . (gap . value)*)? . trail ]
let options = option . (del "," "," . option)* . del /;[ \t]*\n/ ";\n"

(* ---- edit ---- *)

let off  = [ label "disabled" . del "#" "#" ]
let body = [ label "body" . store /[^#\n][^\n]*/ ]
let edit = [ seq "line" . off* . body? . eol ]*
