module Test_batten_rc =

let lns = Batten_Rc.lns

(* every kind of line, and back byte for byte *)
test lns get "#!/bin/sh
# named
#
\t#named -c x
  named \\
\t -c x

 \t
## x
#!here
! [ a ]
" =
  { "comment" = "#!/bin/sh" }
  { "comment" = "# named" }
  { "comment" = "#" }
  { "code" { "disabled" } { "text" = "named -c x" } }
  { "code" { "text" = "named \\" } }
  { "code" { "text" = "-c x" } }
  { "blank" }
  { "blank" }
  { "comment" = "## x" }
  { "code" { "disabled" } { "text" = "!here" } }
  { "code" { "text" = "! [ a ]" } }

(* off: one byte per line, before its first non-blank *)
test lns put "if [ a ]; then
\techo -n ' named';\tnamed
fi
" after insb "disabled" "code[1]/text"; insb "disabled" "code[2]/text"; insb "disabled" "code[3]/text" =
"#if [ a ]; then
\t#echo -n ' named';\tnamed
#fi
"

(* and on again *)
test lns put "\t#named\n# named\n" after rm "code[1]/disabled" = "\tnamed\n# named\n"

(* trailing blanks, a CR, Latin-1 and a line of blanks stay *)
test lns put "named \t\r\n \t \n\txdm \233\n" after insb "disabled" "code[2]/text" =
  "named \t\r\n \t \n\t#xdm \233\n"

(* with a '#' in front, '!/x' would read as a comment: it cannot be switched off *)
test lns put "!/x\n" after insb "disabled" "code[1]/text" = *
