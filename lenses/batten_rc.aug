(*
Module: Batten_Rc
  The physical lines of a shell script

What counts in a script is decided before this module sees it (src/starters/shell*.c): it is given
the physical lines of what is to be commented out, and this is all it knows of them.

  file     = { blank | comment | code }
  blank    = { blank } newline
  comment  = { blank } "#" [ (blank | "#" | "!/") ... ] newline
  code     = { blank } [ "#" ] text newline

A `disabled` node in a `code` line stands for one "#" before its first non-blank. Adding it or taking
it away changes that one byte and nothing else. A line such as "#named", where no blank follows the
"#", reads as code that is disabled; "# named" reads as a comment. Every line is one or the other, so
that all bytes come back as they were.
*)
module Batten_Rc =

let eol    = del "\n" "\n"
let indent = del /[ \t\r]*/ ""

(* "!" begins a command too ("! [ -f x ]"), but "#!/bin/sh" is no command that is off. *)
let first = /[^ \t\r\n#!][^\n]*/
let bang  = /![ \t]*([^ \t\/\n][^\n]*)?/
let path  = /![ \t]*\/[^\n]*/

let text (r:regexp) = [ label "text" . store r ]
let off     = [ label "disabled" . del "#" "#" ]

let blank   = [ label "blank" . indent . eol ]
let comment = [ label "comment" . indent . store (/#([ \t\r#][^\n]*)?/ | "#" . path) . eol ]
let code    = [ label "code" . indent . (off . text (first | bang) | text (first | bang | path)) . eol ]

let lns = (blank | comment | code)*
