#!/usr/bin/env python3
"""grammar.py SEED COUNT DIR - scripts put together from the grammar of the shell, DIR/0, DIR/1 ...

Most are well-formed, in odd ways: keywords as arguments, quotes in quotes, here-documents that wait
for their newline while others are read. The shells say which ones are; the same SEED gives the same
scripts.
"""
import os
import random
import sys

WORDS = [
    'a', 'named', '/usr/sbin/named', '-c', '$x', '"$y"', "'q r'", '"a b"', '${x:-d}', '${x#p}',
    '`echo a`', '$(echo b)', '$((1+2))', '\\;', 'a\\\nb', 'x=1', '"$(c d)"', '"`e f`"', '$#', '$$',
    'a#b', '{', '}', 'if', 'then', 'in', 'do', 'fi', 'done', 'esac', 'else', '!', '~', '*', '?', '%',
    '[a-z]*', '$(a; b)', '"${x:-"q"}"', "${x:-'q'}", '$( (a) )', '"a\\"b"', '`a \\`b\\` c`',
    '$(case x in a) b;; esac)', '"$(case x in (a) b;; esac)"', '${#x}', '${x%%/*}',
    '$(cat <<E\nt )\nE\n)', '"$((a))"', '$((x<<2))', 'a$(b)c`d`e', "'\\'", "\"'\"", "'\"'", "\\'",
    '\\"', '\\`', '\\$(', '$(( (1) ))', '$((a ? b : c))',
]
COMMANDS = [
    'a', 'named', 'echo', '$x', '"q"', '/bin/x', 'a=1 b', 'true', ':', '[ -x /n ]', 'x="$(a)" y',
    'x=`b`', 'exec', '.', 'eval', 'case_', 'ifx', 'dodo', 'set', '{a', '}b', '\\if', 'i"f"',
]
TARGETS = ['>f', '>>f', '2>&1', '<f', '>&2', '<&-', '>|f', '3<>f', '> "$f"', '<$x', '>a\\ b']
DELIMITERS = ['E', 'EOF', '"E"', "'E'", '\\E', '-E', '-"X Y"', '%', '!', 'E$x', '"a\tb"']
TEXT = ['text', '$x `a`', '\tE x', 'E ', 'named', '${x}', '', 'EO', '))', 'a\\\\']
QUOTED_TEXT = ['if (', '" \' `a`', 'back\\', '$(', 'done']
PATTERNS = ['a', 'a|b', '*', '"x y"|z', '[a-z]*', '$x', 'start | stop', 'if', '\\*', '-*', "''"]
BREAKS = ['\n', '\n', '\n\n', ' # it\'s " ` $( \n', '\n# c\n', ' \n', '\\\n\n']


class Script:
    def __init__(self, rnd):
        self.rnd = rnd
        self.waiting = []  # delimiters whose here-documents begin at the next newline

    def one(self, *choices):
        return self.rnd.choice(choices)

    def words(self, most):
        return ' '.join(self.rnd.choice(WORDS) for _ in range(self.rnd.randrange(most + 1)))

    def newline(self, text='\n'):
        """TEXT, with the waiting here-documents behind its first newline."""
        if '\n' not in text:
            return text
        cut = text.index('\n') + 1
        if text[:cut].endswith('\\\n'):
            cut = text.index('\n', cut) + 1
        return text[:cut] + self.documents() + text[cut:]

    def documents(self):
        out = ''
        for delimiter in self.waiting:
            tabs = delimiter.startswith('-')
            end = delimiter[1:] if tabs else delimiter
            quoted = any(c in end for c in '"\'\\')
            for c in '"\'\\':
                end = end.replace(c, '')
            for _ in range(self.rnd.randrange(3)):
                out += self.rnd.choice(TEXT + (QUOTED_TEXT if quoted else [])) + '\n'
            out += (self.one('', '\t') if tabs else '') + end + '\n'
        self.waiting = []
        return out

    def redirection(self):
        if self.rnd.random() < .6:
            return self.rnd.choice(TARGETS)
        delimiter = self.rnd.choice(DELIMITERS)
        self.waiting.append(delimiter)
        return '<<' + delimiter

    def simple(self):
        text = self.rnd.choice(COMMANDS)
        if text not in (':', 'x=`b`') or self.rnd.random() < .5:
            text += ' ' + self.words(3)
        if self.rnd.random() < .4:
            text = self.one('{0} {1} ', '{1} {0}').format(text, self.redirection())
        return text

    def list(self, depth):
        out = ''
        for _ in range(self.rnd.randrange(1, 4)):
            out += self.one(*([''] * 9 + ['! '])) + self.command(depth - 1)
            while self.rnd.random() < .25:
                out += ' ' + self.one('&&', '||', '|') + self.newline(self.one(' ', ' ', '\n'))
                out += self.command(depth - 1)
            if self.waiting:
                out += self.newline(self.rnd.choice(BREAKS))
            else:
                out += self.one('; ', ';', ' ; ', ' &\n', ' & ', '\n', '\n', self.rnd.choice(BREAKS))
        return out

    def gap(self):
        return self.newline(self.one(' ', '\n', ' \n', ' # c\n'))

    def command(self, depth):
        kinds = [self.an_if, self.a_loop, self.a_for, self.a_case, self.a_group, self.a_function]
        if depth <= 0 or self.rnd.random() < .4:
            return self.simple()
        return self.rnd.choice(kinds)(depth)

    def tail(self):
        return self.one('', '', ' >f', ' 2>&1 </dev/null')

    def an_if(self, depth):
        out = 'if ' + self.list(depth) + 'then' + self.gap() + self.list(depth)
        while self.rnd.random() < .3:
            out += 'elif ' + self.list(depth) + 'then ' + self.list(depth)
        if self.rnd.random() < .4:
            out += 'else' + self.gap() + self.list(depth)
        return out + 'fi' + self.tail()

    def a_loop(self, depth):
        return (self.one('while ', 'until ') + self.list(depth) + 'do' + self.gap() +
                self.list(depth) + 'done' + self.tail())

    def a_for(self, depth):
        # dash reads a waiting here-document later than the others where a list of words ends
        ends = [';'] if self.waiting else [';', '\n']
        words = self.rnd.choice([' in ' + self.words(2), ' in a'])
        return ('for ' + self.one('x', 'in', 'd') + words + self.rnd.choice(ends) + ' do' +
                self.gap() + self.list(depth) + 'done' + self.tail())

    def a_case(self, depth):
        out = 'case ' + self.one('$1', '"$x"', 'a', 'in', '`a`', '$(b)') + ' in '
        for _ in range(self.rnd.randrange(3)):
            out += self.one('', '(') + self.rnd.choice(PATTERNS) + ')'
            out += self.list(depth) if self.rnd.random() < .8 else ''
            out += self.newline(self.one(';;', ';;\n', ' ;;\n'))
        if self.rnd.random() < .3:
            out += 'z) ' + self.list(depth)
        return out + ' esac' + self.tail()

    def a_group(self, depth):
        return self.one('({}){}', '{{ {}}}{}').format(self.list(depth), self.tail())

    def a_function(self, depth):
        name = self.one('f', 'start', 'f_g') + self.one('()', ' () ', '( )')
        return name + self.gap() + self.one('{{ {}}}', '( {})').format(self.list(depth))


def main():
    seed, count, where = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    rnd = random.Random(seed)
    os.makedirs(where, exist_ok=True)
    for n in range(count):
        script = Script(rnd)
        text = script.one('', '#!/bin/sh\n') + script.list(rnd.randrange(1, 4))
        with open(os.path.join(where, str(n)), 'w', encoding='ascii') as f:
            f.write(text)


main()
