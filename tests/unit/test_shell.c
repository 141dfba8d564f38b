#include "batten/shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "batten/buf.h"
#include "batten/mem.h"

static void dump_block(struct buf *out, const struct shell *sh, int block);

static void dump_words(struct buf *out, const struct shell *sh, int word)
{
    for (bool first = true; word != SHELL_NO; word = sh->words[word].next, first = false) {
        const struct shell_word *w = &sh->words[word];

        buf_adds(out, first ? "" : " ");
        buf_adds(out, w->assignment ? "=" : "");
        buf_add(out, sh->bytes + w->start, w->end - w->start);
    }
}

static void dump_command(struct buf *out, const struct shell *sh, const struct shell_command *c)
{
    static const char *const kinds[] = {"",     "if",    "loop",  "for",  "case",
                                        "func", "paren", "brace", "test", "arith"};

    buf_adds(out, c->negated ? "!" : "");
    buf_adds(out, kinds[c->kind]);
    buf_addc(out, '<');
    dump_words(out, sh, c->first_word);
    for (int r = c->first_redir; r != SHELL_NO; r = sh->redirs[r].next) {
        const struct shell_redir *d = &sh->redirs[r];

        buf_addc(out, '>');
        buf_add(out, sh->bytes + d->start, d->end - d->start);
        if (d->document)
            buf_printf(out, "@%zu-%zu", d->doc_start, d->doc_end);
    }
    for (int b = c->first_block; b != SHELL_NO; b = sh->blocks[b].next)
        dump_block(out, sh, b);
    buf_addc(out, '>');
}

static void dump_block(struct buf *out, const struct shell *sh, int block)
{
    static const char *const kinds[] = {"file", "cond",  "then", "else", "body",
                                        "arm",  "fbody", "list", "subst"};
    static const char *const ops[] = {"", "\\n", ";", "&", "&&", "||", "|"};
    const struct shell_block *b = &sh->blocks[block];

    buf_printf(out, "{%s", kinds[b->kind]);
    if (b->first_word != SHELL_NO) {
        buf_addc(out, ' ');
        dump_words(out, sh, b->first_word);
    }
    buf_addc(out, ':');
    for (int c = b->first; c != SHELL_NO; c = sh->commands[c].next) {
        dump_command(out, sh, &sh->commands[c]);
        buf_adds(out, ops[sh->commands[c].op]);
    }
    buf_addc(out, '}');
}

struct sample {
    const char *script;
    const char *dump;
    const char *problem; /* the first one, NULL for none */
};

static void check(const struct sample *s)
{
    struct shell *sh = shell_parse(s->script, strlen(s->script));
    struct buf out = BUF_INIT;

    dump_block(&out, sh, 0);
    if (strcmp(buf_str(&out), s->dump) != 0)
        print_error("script: %s\n", s->script);
    assert_string_equal(buf_str(&out), s->dump);
    if (s->problem == NULL && sh->nproblems > 0)
        print_error("script: %s\nproblem: %s\n", s->script, sh->problems[0].message);
    assert_int_equal(sh->nproblems > 0, s->problem != NULL);
    if (s->problem != NULL)
        assert_string_equal(sh->problems[0].message, s->problem);
    buf_release(&out);
    shell_free(sh);
}

static const struct sample structure[] = {
    {"",                                                             "{file:}",                                                NULL},
    {"named",                                                        "{file:<named>}",                                         NULL},
    {"named -c x &\n",                                               "{file:<named -c x>&}",                                   NULL},
    {"a && b || c; d | e & f\n",                                     "{file:<a>&&<b>||<c>;<d>|<e>&<f>\\n}",                    NULL},
    {"a &&\n\n b\n",                                                 "{file:<a>&&<b>\\n}",                                     NULL},
    {"i\\\nf a; the\\\nn b; fi\n",                                   "{file:if<{cond:<a>;}{then:<b>;}>\\n}",                   NULL},
    {"a \\\n  b\\\nc\n",                                             "{file:<a b\\\nc>\\n}",                                   NULL},
    {"A=1 B='x y' c d=e\n",                                          "{file:<=A=1 =B='x y' c d=e>\\n}",                        NULL},
    {"a # b; c\nd#e $# f\n",                                         "{file:<a>\\n<d#e $# f>\\n}",                             NULL},
    {"! a\n",                                                        "{file:!<a>\\n}",                                         NULL},
    {"if a; then b; elif c; then d; else e; fi",
     "{file:if<{cond:<a>;}{then:<b>;}{cond:<c>;}{then:<d>;}{else:<e>;}>}",                                                     NULL},
    {"if a\nthen\n b\nfi >x 2>&1\n",                                 "{file:if<>>x>2>&1{cond:<a>\\n}{then:<b>\\n}>\\n}",       NULL},
    {"while a; do b; done; until c\ndo d\ndone",
     "{file:loop<{cond:<a>;}{body:<b>;}>;loop<{cond:<c>\\n}{body:<d>\\n}>}",                                                   NULL},
    {"for i in a b; do $i; done",                                    "{file:for<i a b{body:<$i>;}>}",                          NULL},
    {"for i\ndo $i; done",                                           "{file:for<i{body:<$i>;}>}",                              NULL},
    {"for i; do $i; done",                                           "{file:for<i{body:<$i>;}>}",                              NULL},
    {"for ((i=0; i<3; i++)); do a; done",                            "{file:for<{body:<a>;}>}",                                NULL},
    {"select i in a; do b; done",                                    "{file:for<i a{body:<b>;}>}",                             NULL},
    {"case $1 in\na|b) c;;\n(d) e\n;;\n*) f\nesac",
     "{file:case<$1{arm a b:<c>}{arm d:<e>\\n}{arm *:<f>\\n}>}",                                                               NULL},
    {"case x { a) b ;; }; for i in c; { d; }",                       "{file:case<x{arm a:<b>}>;for<i c{body:<d>;}>}",
     NULL                                                                                                                          },
    {"case x in esac",                                               "{file:case<x>}",                                         NULL},
    {"case x in a) ;; b) c ;& d) e ;;& esac",                        "{file:case<x{arm a:}{arm b:<c>}{arm d:<e>}>}",           NULL},
    {"f() { a; }\ng () (b)\nfunction h { c; }\nfunction i() { d; }",
     "{file:func<f{fbody:brace<{list:<a>;}>}>\\n"
     "func<g{fbody:paren<{list:<b>}>}>\\nfunc<h{fbody:brace<{list:<c>;}>}>\\nfunc<i{fbody:brace<{"
     "list:<d>;}>}>}",                                                                                                         NULL},
    {"(a; b) & { c; d; } >x",                                        "{file:paren<{list:<a>;<b>}>&brace<>>x{list:<c>;<d>;}>}", NULL},
    {"((i = 1 + (2)))\n((a); (b))\n((a\nb))",
     "{file:arith<>\\nparen<{list:paren<{list:<a>}>;paren<{list:<b>}>}>\\n"
     "paren<{list:paren<{list:<a>\\n<b>}>}>}",                                                                                 NULL},
    {"[[ $a == (x|y) && -f $b ]] && c",                              "{file:test<$a == x y -f $b>&&<c>}",                      NULL},
    {"if [ a ]; then { b; if c; then d; fi }; fi",
     "{file:if<{cond:<[ a ]>;}{then:brace<{list:<b>;if<{cond:<c>;}{then:<d>;}>}>;}>}",                                         NULL},
    {"echo if then fi done } esac {\n",                              "{file:<echo if then fi done } esac {>\\n}",              NULL},
    {"a=(b 'c)' d) e+=(f)\n",                                        "{file:<=a=(b 'c)' d) =e+=(f)>\\n}",                      NULL},
    {"a\r\nb\r\n",                                                   "{file:<a\r>\\n<b\r>\\n}",                                NULL},
};

static const struct sample quotes[] = {
    {"echo 'a; b' \"c & d\" e\\;f\n",           "{file:<echo 'a; b' \"c & d\" e\\;f>\\n}",                        NULL},
    {"echo $(a | b) `c; d`\n",                  "{file:<echo $(a | b) `c; d`{subst:<a>|<b>}{subst:<c>;<d>}>\\n}",
     NULL                                                                                                             },
    {"x=$(case y in y) a;; esac)\n",
     "{file:<=x=$(case y in y) a;; esac){subst:case<y{arm y:<a>}>}>\\n}",                                         NULL},
    {"echo \"$(a \"b)\")\" c\n",                "{file:<echo \"$(a \"b)\")\" c{subst:<a \"b)\">}>\\n}",           NULL},
    {"echo $((1 + (2))) $( (a); b)\n",
     "{file:<echo $((1 + (2))) $( (a); b){subst:paren<{list:<a>}>;<b>}>\\n}",                                     NULL},
    {"echo $((a); (b))\n",
     "{file:<echo $((a); (b)){subst:paren<{list:<a>}>;paren<{list:<b>}>}>\\n}",                                   NULL},
    {"echo ${a:-b c} ${d%'}'} \"${e:-'}\" f\n", "{file:<echo ${a:-b c} ${d%'}'} \"${e:-'}\" f>\\n}",
     NULL                                                                                                             },
    {"echo ${a#\\}} ${#b} ${c:-$(d)}\n",        "{file:<echo ${a#\\}} ${#b} ${c:-$(d)}{subst:<d>}>\\n}",
     NULL                                                                                                             },
    {"echo $'a\\'b' c\n",                       "{file:<echo $'a\\'b' c>\\n}",                                    NULL},
    {"echo `a \\`b; c\\`` d\n",                 "{file:<echo `a \\`b; c\\`` d>\\n}",                              NULL},
    {"[ \"`pidof a`\" ] || b\n",                "{file:<[ \"`pidof a`\" ]{subst:<pidof a>}>||<b>\\n}",            NULL},
    {"a <(b) >(c)\n",                           "{file:<a <(b) >(c){subst:<b>}{subst:<c>}>\\n}",                  NULL},
    {"echo a >x 2>>y <&3 4>&- &>z w\n",         "{file:<echo a w>>x>2>>y><&3>4>&->&>z>\\n}",                      NULL},
};

static const struct sample documents[] = {
    {"cat <<E\na; b\nE\nc\n",           "{file:<cat><<E@8-15>\\n<c>\\n}",                                NULL                           },
    {"cat <<-E >f; d\n\ta\n\tE\nc\n",   "{file:<cat><<-E@15-21>>f>;<d>\\n<c>\\n}",                       NULL                           },
    {"cat <<'E F' && b\n$(\nE F\nc\n",  "{file:<cat><<'E F'@17-24>&&<b>\\n<c>\\n}",                      NULL                           },
    {"cat <<A <<\\B\na\nA\nb\nB\nc\n",  "{file:<cat><<A@13-17><<\\B@17-21>\\n<c>\\n}",                   NULL                           },
    {"x=$(cat <<E\na )\nE\n) b\n",
     "{file:<=x=$(cat <<E\na )\nE\n) b{subst:<cat><<E@12-18>\\n}>\\n}",                                  NULL                           },
    {"cat <<%\na\n%\nb\n",              "{file:<cat><<%@8-12>\\n<b>\\n}",                                NULL                           },
    {"cat <<E\na \\\nE\nE\nb\n",        "{file:<cat><<E@8-16>\\n<b>\\n}",                                NULL                           },
    {"cat <<\\E\na \\\nE\nb\n",         "{file:<cat><<\\E@9-15>\\n<b>\\n}",                              NULL                           },
    {"if a; then cat <<E\nfi\nE\nfi\n", "{file:if<{cond:<a>;}{then:<cat><<E@19-24>\\n}>\\n}",            NULL                           },
    {"x=$(cat <<E\na )\nE) b\n",        "{file:<=x=$(cat <<E\na )\nE) b{subst:<cat><<E@12-17>\\n}>\\n}",
     NULL                                                                                                                               },
    {"cat <<E\nE)\nE\nb\n",             "{file:<cat><<E@8-13>\\n<b>\\n}",                                NULL                           },
    {"<<E <<F\nE\nF\n",                 "{file:<><<E@8-10><<F@10-12>\\n}",                               NULL                           },
    {"cat <<A; $(\nb\n)\nA\nA\nc\n",
     "{file:<cat><<A@16-18>;<$(\nb\n){subst:<b>\\n}>\\n<A>\\n<c>\\n}",                                   NULL                           },
    {"cat <<A `\nb\n`\nd\nA\nc\n",      "{file:<cat `\nb\n`><<A@14-18{subst:<b>\\n}>\\n<c>\\n}",         NULL                           },
    {"a $(cat <<E)\nb\n",               "{file:<a $(cat <<E){subst:<cat><<E@0-0>}>\\n<b>\\n}",           NULL                           },
    {"cat <<E\\\nF\na\nEF\nc\n",        "{file:<cat><<E\\\nF@11-16>\\n<c>\\n}",                          NULL                           },
    {"cat <<<E\na\n",                   "{file:<cat><<<E>\\n<a>\\n}",                                    NULL                           },
    {"cat <<E\na\n",                    "{file:<cat><<E@8-10>\\n}",                                      "here-document without its end"},
};

static const struct sample broken[] = {
    {"fi\nnamed\n",             "{file:<named>\\n}",                          "a keyword that closes nothing"},
    {"if a; then b\n",          "{file:if<{cond:<a>;}{then:<b>\\n}>}",        "'if' without 'fi'"            },
    {"if a; then b; done\nc",   "{file:if<{cond:<a>;}{then:<b>;}><c>}",       "'if' without 'fi'"            },
    {"a )\nb\n",                "{file:<a><b>\\n}",                           "an operator without a command"},
    {"(a\n",                    "{file:paren<{list:<a>\\n}>}",                "'(' without ')'"              },
    {"{ a; \n",                 "{file:brace<{list:<a>;}>}",                  "'{' without '}'"              },
    {"echo 'a\nb\n",            "{file:<echo 'a\nb\n>}",                      "quote without its end"        },
    {"echo \"a\nb\n",           "{file:<echo \"a\nb\n>}",                     "quote without its end"        },
    {"echo `a\nb\n",            "{file:<echo `a\nb\n>}",                      "backquote without its end"    },
    {"echo $(a\nb\n",           "{file:<echo $(a\nb\n{subst:<a>\\n<b>\\n}>}", "'$(' without ')'"             },
    {"echo ${a\nb\n",           "{file:<echo ${a\nb\n>}",                     "'${' without its '}'"         },
    {"case a in b c) d;; esac", "{file:case<a{arm b c:<d>}>}",                NULL                           },
    {"a ;; b\n",                "{file:<a><b>\\n}",                           "an operator without a command"},
    {"a >\nb\n",                "{file:<a>>>\\n<b>\\n}",                      "redirection without a target" },
};

static void test_structure(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(structure); i++)
        check(&structure[i]);
}

static void test_quotes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(quotes); i++)
        check(&quotes[i]);
}

static void test_documents(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(documents); i++)
        check(&documents[i]);
}

static void test_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        check(&broken[i]);
}

static void test_ranges(void **state)
{
    static const char script[] = "a;\n  named \\\n    -u x <<E & # why\nbody\nE\nb\n";
    struct shell *sh = shell_parse(script, sizeof(script) - 1);
    const struct shell_command *c = &sh->commands[1];
    unsigned first, last;

    (void)state;
    assert_int_equal(c->start, 5);
    assert_memory_equal(script + c->end - 3, "<<E", 3);
    assert_int_equal(c->op, SHELL_AMP);
    assert_int_equal(script[c->op_start], '&');
    shell_lines_of(sh, c->start, c->end, &first, &last);
    assert_int_equal(first, 2);
    assert_int_equal(last, 5);
    assert_int_equal(shell_line(sh, 0), 1);
    assert_int_equal(shell_line(sh, sizeof(script)), 6);
    assert_int_equal(shell_line_start(sh, 2), 3);
    assert_int_equal(shell_line_end(sh, 6), sh->len);
    shell_free(sh);
}

/* Whatever the bytes, reading ends, in time linear in them, and no index points outside. */
static void test_deep(void **state)
{
    static const char *const openers[] = {
        "(",  "{ ",  "if a; then ", "$(",   "${a:-", "`",    "case a in b) ",
        "((", "$((", "f() ",        "\"$(", "[[ ",   "<<a ", "a=("};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(openers); i++) {
        struct buf b = BUF_INIT;
        struct shell *sh;

        for (int n = 0; n < 20001; n++)
            buf_adds(&b, openers[i]);
        sh = shell_parse(b.data, b.len);
        assert_false(shell_balanced(sh));
        shell_free(sh);
        buf_release(&b);
    }
}

/* Patterns whose substitutions make the rows move while the arm is read. */
static void test_patterns(void **state)
{
    struct buf b = BUF_INIT;
    struct shell *sh;

    (void)state;
    buf_adds(&b, "case x in\n");
    for (int i = 0; i < 200; i++)
        buf_printf(&b, "(a%d`b``c`$(d)|e$(f)) g;;\n", i);
    buf_adds(&b, "esac\n");
    sh = shell_parse(b.data, b.len);
    assert_true(shell_balanced(sh));
    shell_free(sh);
    buf_release(&b);
}

static void test_nul(void **state)
{
    static const char script[] = "a\0b; c\n\0d\n";
    struct shell *sh = shell_parse(script, sizeof(script) - 1);

    (void)state;
    assert_true(sh->ncommands >= 2);
    shell_free(sh);
}

static const char *lookup(void *ctx, const char *name, size_t len)
{
    (void)ctx;
    if (len == 1 && *name == 'A')
        return "/usr/sbin/named";
    if (len == 1 && *name == 'B')
        return "named -u x";
    return len == 1 && *name == 'E' ? "" : NULL;
}

static void test_expand(void **state)
{
    static const struct {
        const char *word, *value;
        enum shell_expansion result;
        bool split;
    } samples[] = {
        {"named",              "named",            SHELL_CONSTANT, false},
        {"'na'\"me\"\\d",      "named",            SHELL_CONSTANT, false},
        {"\"a\\$b\\c\"",       "a$b\\c",           SHELL_CONSTANT, false},
        {"a\\\nb",             "ab",               SHELL_CONSTANT, false},
        {"$A",                 "/usr/sbin/named",  SHELL_RESOLVED, false},
        {"\"${A}\"x",          "/usr/sbin/namedx", SHELL_RESOLVED, false},
        {"$B",                 "named -u x",       SHELL_RESOLVED, true },
        {"\"$B\"",             "named -u x",       SHELL_RESOLVED, false},
        {"${x:-named}",        "named",            SHELL_RESOLVED, false},
        {"${x-${y:-named}}",   "named",            SHELL_RESOLVED, false},
        {"${x:='a b'}",        "a b",              SHELL_RESOLVED, false},
        {"${E:-d}${E-d}",      "d",                SHELL_RESOLVED, false},
        {"${A:-other}",        "/usr/sbin/named",  SHELL_RESOLVED, false},
        {"$x/named",           "\001/named",       SHELL_UNKNOWN,  false},
        {"`pwd`/$(a b)/named", "\001/\001/named",  SHELL_UNKNOWN,  false},
        {"${A##*/}",           "\001",             SHELL_UNKNOWN,  false},
        {"${A+x}$1$@",         "\001\001\001",     SHELL_UNKNOWN,  false},
        {"*d '*'",             "\001d *",          SHELL_UNKNOWN,  false},
        {"a$",                 "a$",               SHELL_CONSTANT, false},
        {"${",                 "\001",             SHELL_UNKNOWN,  false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct buf out = BUF_INIT;
        bool split = false;

        assert_int_equal(
            shell_expand(&out, samples[i].word, strlen(samples[i].word), lookup, NULL, &split),
            samples[i].result);
        assert_string_equal(buf_str(&out), samples[i].value);
        assert_int_equal(split, samples[i].split);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure), cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_documents), cmocka_unit_test(test_broken),
        cmocka_unit_test(test_ranges),    cmocka_unit_test(test_deep),
        cmocka_unit_test(test_nul),       cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_expand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
