(*
Module: Batten_Profile
  The lines and words of a profile (batten-profile(5)).

    profile = ( blank line | comment line | line )*
    line    = word ( blanks word )* [ blanks comment ]
    comment = "#" anything

A '#' starts a comment only where a word could start. The words of a line are its nodes, in order;
what they mean is not the lens's business, so that an unknown word can be reported by its place.
*)
module Batten_Profile =

let blanks = del /[ \t]+/ " "
let indent = del /[ \t]*/ ""
let end    = del /[ \t]+#[^\n]*\n|[ \t]*\r?\n/ "\n"
let word   = [ label "word" . store /[^# \t\r\n][^ \t\r\n]*/ ]

let none = [ label "#none" . del /[ \t]*(#[^\n]*\n|\r?\n)/ "\n" ]
let line = [ label "line" . indent . word . (blanks . word)* . end ]

let lns = (none | line)*
