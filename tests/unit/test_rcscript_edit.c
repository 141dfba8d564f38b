#include "rc_case.h"

struct sample {
    const char *names; /* which entries; NULL: all */
    const char *before, *after;
    const char *refused;
};

static void check(const struct sample *s)
{
    struct rc_case c;
    struct buf out = BUF_INIT, refused = BUF_INIT;

    rc_case_init(&c, "etc/rc.local", s->before, strlen(s->before));
    rc_case_edit(&c, s->names, &out, &refused);
    if (strcmp(buf_str(&out), s->after) != 0)
        print_error("script:\n%s\n", s->before);
    assert_string_equal(buf_str(&out), s->after);
    assert_string_equal(buf_str(&refused), s->refused != NULL ? s->refused : "");
    buf_release(&out);
    buf_release(&refused);
    rc_case_release(&c);
}

static void check_all(const struct sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(&samples[i]);
}

/* A script that stays as it is for the start of NAME, on LINE. */
struct kept {
    unsigned line;
    const char *name, *script;
};

static void check_kept(const struct kept *kept, size_t n, const char *why)
{
    for (size_t i = 0; i < n; i++) {
        struct buf refused = BUF_INIT;

        buf_printf(&refused, "%u: cannot comment out '%s': %s\n", kept[i].line, kept[i].name, why);
        check(&(struct sample){NULL, kept[i].script, kept[i].script, buf_str(&refused)});
        buf_release(&refused);
    }
}

static void test_comment(void **state)
{
    static const struct sample samples[] = {
        {NULL,      "a\nnamed\nb\n",                 "a\n#named\nb\n",                   NULL},
        {NULL,      "named",                         "#named",                           NULL},
        {NULL,      "\tnamed -c x # why\n",          "\t#named -c x # why\n",            NULL},
        {NULL,      "named \\\n  -c x \\\n\n",       "#named \\\n  #-c x \\\n\n",        NULL},
        {NULL,      "named <<E &\nx\n# y\n\nE\nz\n", "#named <<E &\n#x\n# y\n\n#E\nz\n", NULL},
        {NULL,      "named;\ninetd &\n",             "#named;\n#inetd &\n",              NULL},
        {" inetd ", "named\ninetd\n",                "named\n#inetd\n:\n",               NULL},
        {NULL,      "(named >/x 2>&1) &\n",          "#(named >/x 2>&1) &\n",            NULL},
        {NULL,      "(ulimit -n 9;named)\n",         "#(ulimit -n 9;named)\n",           NULL},
        {NULL,      "sh -c 'named'\n",               "#sh -c 'named'\n",                 NULL},
        {NULL,      "named \"\n\tx\"\n",             "#named \"\n\t#x\"\n",              NULL},
        {NULL,      "named\r\n",                     "named\r\n",                        NULL},
        {NULL,      "\n\nnamed\n",                   "\n\n#named\n",                     NULL},
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_echo(void **state)
{
    static const struct sample samples[] = {
        {NULL, "echo -n ' named';\tnamed\n",                       "#echo -n ' named';\tnamed\n",      NULL},
        {NULL, "named; echo -n ' named' >/dev/console\n",
         "#named; echo -n ' named' >/dev/console\n",                                                   NULL},
        {NULL, "echo starting telnet...\n\n# it\ntelnetd\n",
         "#echo starting telnet...\n\n# it\n#telnetd\n",                                               NULL},
        {NULL, "N=/sbin/inetd\necho starting $N\n$N\necho done\n",
         "N=/sbin/inetd\n#echo starting $N\n#$N\necho done\n",                                         NULL},
        {NULL, "named && echo -n ' named'\n",                      "#named && echo -n ' named'\n",     NULL},
        {NULL, "echo named, inetd\nnamed\n",                       "echo named, inetd\n#named\n",      NULL},
        {NULL, "echo named >/var/run/x\nnamed\n",                  "echo named >/var/run/x\n#named\n", NULL},
        {NULL, "echo `basename named`\nnamed\n",                   "echo `basename named`\n#named\n",  NULL},
        {NULL, "echo named ${x:=y}\nnamed\n",                      "echo named ${x:=y}\n#named\n",     NULL},
        {NULL, "x || echo named\nnamed\n",                         "x || echo named\n#named\n:\n",     NULL},
        {NULL, "echo named &\nnamed\n",                            "echo named &\n#named\n",           NULL},
        {NULL, "echo named\nx\nnamed\n",                           "echo named\nx\n#named\n:\n",       NULL},
        {NULL, "echo -n ' printer'; lpd\n",                        "echo -n ' printer'; :\n",          NULL},
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_if(void **state)
{
    static const struct sample samples[] = {
        {NULL, "if [ -x /n ]; then\n\tnamed\nfi\n",                            "#if [ -x /n ]; then\n\t#named\n#fi\n",    NULL},
        {NULL, "if [ -x /n ]; then named; fi\n",                               "#if [ -x /n ]; then named; fi\n",         NULL},
        {NULL, "[ -x /n ] && named\n",                                         "#[ -x /n ] && named\n",                   NULL},
        {NULL, "[ -x /n ] && \\\n  { echo named; named; }\n",
         "#[ -x /n ] && \\\n  #{ echo named; named; }\n",                                                                 NULL},
        {NULL, "if test a && [[ b ]]\nthen\n  if [ c ]; then named; fi\nfi\n",
         "#if test a && [[ b ]]\n#then\n  #if [ c ]; then named; fi\n#fi\n",                                              NULL},
        {NULL, "if grep x y; then\n\tnamed\nfi\n",                             "if grep x y; then\n\t#named\n\t:\nfi\n",  NULL},
        {NULL, "if [ `x` ]; then\n\tnamed\nfi\n",                              "if [ `x` ]; then\n\t#named\n\t:\nfi\n",   NULL},
        {NULL, "if [ ${x:=1} = 1 ]; then\n\tnamed\nfi\n",
         "if [ ${x:=1} = 1 ]; then\n\t#named\n\t:\nfi\n",                                                                 NULL},
        {NULL, "if [ a ]; then\n  /a/inetd\nelse\n  /b/inetd\nfi\n",
         "if [ a ]; then\n  #/a/inetd\n  :\nelse\n  #/b/inetd\n  :\nfi\n",                                                NULL},
        {NULL, "if [ a ]; then\n\tnamed\nfi >/x\n",                            "if [ a ]; then\n\t#named\n\t:\nfi >/x\n",
         NULL                                                                                                                 },
        {NULL, "x; if [ a ]; then named; fi; y\n",                             "x; :; y\n",                               NULL},
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_colon(void **state)
{
    static const struct sample samples[] = {
        {NULL,             "f() {\n\tnamed\n}\n",                           "f() {\n\t#named\n\t:\n}\n",                  NULL},
        {NULL,             "while read x; do\n  named\ndone\n",             "while read x; do\n  #named\n  :\ndone\n",
         NULL                                                                                                                 },
        {NULL,             "case x in\na)\n\tnamed\n\t;;\nesac\n",          "case x in\na)\n\t#named\n\t:\n\t;;\nesac\n",
         NULL                                                                                                                 },
        {NULL,             "if x; then\n\tportmap\n\tmountd\n\tnfsd\nfi\n",
         "if x; then\n\t#portmap\n\t#mountd\n\t#nfsd\n\t:\nfi\n",                                                         NULL},
        {" portmap nfsd ", "if x; then\n\tportmap\n\tmountd\n\tnfsd\nfi\n",
         "if x; then\n\t#portmap\n\tmountd\n\t#nfsd\n\t:\nfi\n",                                                          NULL},
        {NULL,             "if [ a ]; then\n\tnamed\n\tinetd\nfi\n",
         "if [ a ]; then\n\t#named\n\t#inetd\n\t:\nfi\n",                                                                 NULL},
        {NULL,             "f() {\n  if [ a ]; then\n    named\n  fi\n}\n",
         "f() {\n  #if [ a ]; then\n    #named\n  #fi\n  :\n}\n",                                                         NULL},
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_inline(void **state)
{
    static const struct sample samples[] = {
        {NULL,      "a; named -x y; b\n",              "a; :; b\n",                NULL      },
        {NULL,      "named & a\n",                     ": & a\n",                  NULL      },
        {NULL,      "f() { named; }\n",                "f() { :; }\n",             NULL      },
        {NULL,      "case x in a) named ;; esac\n",    "case x in a) : ;; esac\n", NULL      },
        {NULL,      "if x; then named; fi\n",          "if x; then :; fi\n",       NULL      },
        {NULL,      "a; named >/x \\\n  -c y; b\n",    "a; :; b\n",                NULL      },
        {NULL,      "a; named; statd; b\n",            "a; :; :; b\n",             NULL      },
        {" statd ", "a; named; statd; b\n",            "a; named; :; b\n",         NULL      },
        {NULL,      "a; echo -n named; named; b\n",    "a; :; b\n",                NULL      },
        {NULL,      "cd /; amd -x \\\n\t-y \\\n\t&\n", "cd /; : \\\n\t&\n",        NULL      },
        {NULL,      "a; named <<E\nx\nE\n",            "a; named <<E\nx\nE\n",
         "1: cannot comment out 'named': its here-document begins on a line that it shares\n"},
        {NULL,      "a; (named); { inetd; }\n",        "a; :; :\n",                NULL      },
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_word(void **state)
{
    static const struct sample samples[] = {
        {NULL,           "start_daemon a b named c\n",                       "start_daemon a b c\n",       NULL},
        {" named ",      "for d in portmap named nfsd; do $d; done\n",
         "for d in portmap nfsd; do $d; done\n",                                                           NULL},
        {" named nfsd ", "for d in portmap  named \\\n nfsd; do $d; done\n",
         "for d in portmap \\\n; do $d; done\n",                                                           NULL},
        {NULL,           "for d in portmap named; do echo $d; $d; done\n",
         "#for d in portmap named; do echo $d; $d; done\n",                                                NULL},
        {NULL,           "rcctl start inetd named\n",                        "#rcctl start inetd named\n", NULL},
        {NULL,           "x; rcctl start inetd y named\n",                   "x; rcctl start y\n",         NULL},
        {NULL,           "if x; then\n  start_daemon named statd\nfi\n",
         "if x; then\n  #start_daemon named statd\n  :\nfi\n",                                             NULL},
        {NULL,           "x; start_daemon named statd; inetd\n",             "x; :; :\n",                  NULL},
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_refused(void **state)
{
    static const struct sample samples[] = {
        {NULL, "named || exit\n",     "named || exit\n",
         "1: cannot comment out 'named': its exit status decides whether another command runs\n"        },
        {NULL, "if x; then\nnamed\n", "if x; then\nnamed\n",
         "2: cannot comment out 'named': the script is not balanced, see line 1\n"                      },
        {NULL, "named -x $(snmpd)\n", "named -x $(snmpd)\n",
         "1: cannot comment out 'named': another start stands within it\n"
         "1: cannot comment out 'snmpd': its output is used by the command around it\n"                 },
        {NULL, "x | named\nsnmpd\n",  "x | named\n#snmpd\n:\n",
         "1: cannot comment out 'named': it is part of a pipeline\n"                                    },
        {NULL, "named \003\n",        "named \003\n",           "1: the text holds a byte from 0 to 4\n"},
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

/* A start, its group, or the function around it, when the last commands leave a status. */
static void test_status(void **state)
{
    static const struct sample samples[] = {
        {NULL, "f() {\n\tx\n\tnamed\n}\nf\n",                            "f() {\n\tx\n\t#named\n\t:\n}\nf\n", NULL},
        {NULL, "named\necho $x\nif [ $? ]; then y; fi\n",
         "#named\necho $x\nif [ $? ]; then y; fi\n",                                                          NULL},
        {NULL, "named; echo \" named: $?\"\n",                           "#named; echo \" named: $?\"\n",     NULL},
        {NULL, "c() { y; d; }\nd() { [ $? = 0 ] || y; }\nx\nnamed\nc\n",
         "c() { y; d; }\nd() { [ $? = 0 ] || y; }\nx\n#named\nc\n",                                           NULL},
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

/* Where the script, or a function with set -e, ends with what came before the start. */
static void test_left(void **state)
{
    static const struct sample samples[] = {
        {NULL, "x\nnamed\n",                                          "x\n#named\n:\n",                            NULL},
        {NULL, "x\nnamed\nexit 0\n",                                  "x\n#named\nexit 0\n",                       NULL},
        {NULL, "x\nnamed\nexit\n",                                    "x\n#named\n:\nexit\n",                      NULL},
        {NULL, "x=1\nnamed\n",                                        "x=1\n#named\n",                             NULL},
        {NULL, "x &\nnamed\n",                                        "x &\n#named\n",                             NULL},
        {NULL, "x\nnamed &\n",                                        "x\n#named &\n:\n",                          NULL},
        {NULL, "x\nnamed\ninetd\n",                                   "x\n#named\n#inetd\n:\n",                    NULL},
        {NULL, "if y; then\n x\n named\nfi\n",                        "if y; then\n x\n #named\n :\nfi\n",         NULL},
        {NULL, "f() {\n x\n named\n}\nf\nz\n",                        "f() {\n x\n #named\n}\nf\nz\n",             NULL},
        {NULL, "set -e\nf() {\n x\n named\n}\nf\nz\n",                "set -e\nf() {\n x\n #named\n :\n}\nf\nz\n",
         NULL                                                                                                          },
        {NULL, "#!/bin/sh -ue\nf() {\n x\n named\n}\nf\nz\n",
         "#!/bin/sh -ue\nf() {\n x\n #named\n :\n}\nf\nz\n",                                                       NULL},
        {NULL, "#!/bin/sh -u /usr/x-e\nf() {\n x\n named\n}\nf\nz\n",
         "#!/bin/sh -u /usr/x-e\nf() {\n x\n #named\n}\nf\nz\n",                                                   NULL},
        {NULL, "f() {\n x && y\n named\n}\nf\nz\n",                   "f() {\n x && y\n #named\n :\n}\nf\nz\n",    NULL},
        {NULL, "f() {\n if x; then\n  ! y\n  named\n fi\n}\nf\nz\n",
         "f() {\n if x; then\n  ! y\n  #named\n  :\n fi\n}\nf\nz\n",                                               NULL},
        {NULL, "(x || y\nnamed)\nz\n",                                "(x || y\n:)\nz\n",                          NULL},
        {NULL, "if x; then\n y || z\n named\nfi\nz\n",                "if x; then\n y || z\n #named\nfi\nz\n",
         NULL                                                                                                          },
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

/* What looks at the status of the command before it. */
static void test_status_used(void **state)
{
    static const struct kept kept[] = {
        {3, "named", "c() { if [ ${?} -ne 0 ]; then y; fi; }\nx\nnamed\nc\n"},
        {4, "named", "c() { d; }\nd() { [ $? = 0 ] || y; }\nx\nnamed\nc\n"  },
        {3, "named", "last() { return; }\nx\nnamed\nlast || y\n"            },
        {2, "named", "x\nnamed\ncase $y in a) z ;; b) echo $? ;; esac\n"    },
        {2, "named", "x\nnamed\ncat <<E\n$?\nE\n"                           },
    };

    (void)state;
    check_kept(kept, ARRAY_LEN(kept), "its exit status is looked at");
}

/* Loops that never end without the daemon, and some that do. */
static void test_waits(void **state)
{
    static const struct kept kept[] = {
        {1, "rpcbind", "rpcbind\nuntil rpcinfo -p >/x; do sleep 1; done\n"                     },
        {1, "named",
         "named\nwhile :; do\nif [ -f /run/named.pid ]; then break; fi\nsleep 1\ndone\n"       },
        {2, "named",   "w() { until [ -f $1 ]; do sleep 1; done; }\nnamed\nw /run/named.pid\n" },
        {3, "named",
         "w() { while :; do pidof $1 && return; sleep 1; done; }\nv() { w named; }\nnamed\nv\n"},
        {1, "named",   "f() { named; x; }\nw() { until pidof named; do :; done; }\nf\nw\n"     },
        {2, "named",   "P=/run/named.pid\nnamed\nuntil [ -f \"$P\" ]; do sleep 1; done\n"      },
        {2, "nfsd",    "nap() { sleep 1; }\nnfsd\nuntil [ -d /proc/fs/nfs ]; do nap; done\n"   },
        {3, "named",   "while :; do\npidof named && break\nnamed\nsleep 1\ndone\n"             },
        {3, "named",
         "main() { f; w; x; }\nw() { until pidof named; do sleep 1; done; }\nf() { named; x; "
         "}\nmain\n"                                                                           },
    };
    static const struct sample samples[] = {
        {NULL, "while :; do\n if ! pidof named; then\n  named\n fi\n sleep 9\ndone\nx\n",
         "while :; do\n if ! pidof named; then\n  #named\n  :\n fi\n sleep 9\ndone\nx\n", NULL},
        {NULL, "w() { until pidof $1; do sleep 1; done; }\nw named\nnamed\nx\n",
         "w() { until pidof $1; do sleep 1; done; }\nw named\n#named\nx\n",               NULL},
        {NULL, "named\nwhile read name host; do x; done\n",
         "#named\nwhile read name host; do x; done\n",                                    NULL},
        {NULL, "while [ -f /x ]; do\n named -x\n x\n sleep 1\ndone\nx\n",
         "while [ -f /x ]; do\n #named -x\n x\n sleep 1\ndone\nx\n",                      NULL},
        {NULL, "named\nuntil [ -d /home/x ]; do sleep 1; done\n",
         "#named\nuntil [ -d /home/x ]; do sleep 1; done\n",                              NULL},
    };

    (void)state;
    check_kept(kept, ARRAY_LEN(kept), "a loop waits for it");
    check_all(samples, ARRAY_LEN(samples));
}

/* What was put in the background last, or as which job. */
static void test_pid(void **state)
{
    static const struct kept kept[] = {
        {1, "named", "x & if [ a ]; then named & fi; P=$!\n"                  },
        {1, "named", "{ named & }; echo $!\n"                                 },
        {2, "named", "x &\nnamed &\necho ${!} >/y\n"                          },
        {3, "named", "pid() { echo ${!}; }\nx &\nnamed &\npid\n"              },
        {4, "named", "pid() { echo $!; }\nsay() { pid; }\nx &\nnamed &\nsay\n"},
        {2, "named", "bg() { \"$@\" & }\nbg named\necho $!\n"                 },
        {1, "named", "eval \"named &\"\necho $!\n"                            },
        {3, "named", "for i in 1 2; do\necho $!\nnamed &\nx\ndone\n"          },
        {1, "named", "named & x & wait %2\n"                                  },
        {2, "named", "off() { kill -9 \"%1\"; }\nnamed &\nx &\noff\n"         },
    };
    static const struct sample samples[] = {
        {NULL, "named &\nx &\necho $!\n",              "#named &\nx &\necho $!\n",              NULL},
        {NULL, "x &\n(named &)\necho $!\n",            "x &\n#(named &)\necho $!\n",            NULL},
        {NULL, "x & kill %1\nnamed &\ny\n",            "x & kill %1\n#named &\ny\n",            NULL},
        {NULL, "named &\nprintf %-1s a\necho ${!x}\n", "#named &\nprintf %-1s a\necho ${!x}\n",
         NULL                                                                                       },
    };

    (void)state;
    check_kept(kept, ARRAY_LEN(kept), "its process id is used by a command behind it");
    check_all(samples, ARRAY_LEN(samples));
}

/* What only says how the start went goes with it; a loop that runs for nothing else too. */
static void test_tells(void **state)
{
    static const struct sample samples[] = {
        {NULL, "if named; then\n  echo ok\nelse\n  echo no\nfi\n",
         "#if named; then\n  #echo ok\n#else\n  #echo no\n#fi\n",                                       NULL},
        {NULL, "[ a ] && named || echo failed\n",                  "#[ a ] && named || echo failed\n",  NULL},
        {NULL, "while :; do named; done &\n",                      "#while :; do named; done &\n",      NULL},
        {NULL, "while true; do\n  named\n  sleep 1\ndone &\n",
         "#while true; do\n  #named\n  #sleep 1\n#done &\n",                                            NULL},
        {NULL, "while :; do\n  named\n  sleep 9; x\ndone\n",
         "while :; do\n  #named\n  sleep 9; x\ndone\n",                                                 NULL},
        {NULL, "x; echo named\n# why\nnamed\ny\n",                 "x; echo named\n# why\n#named\ny\n", NULL},
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_nul(void **state)
{
    static const char text[] = "named\nx \0 y\n";
    struct rc_case c;
    struct buf out = BUF_INIT;

    (void)state;
    rc_case_init(&c, "etc/rc", text, sizeof(text) - 1);
    rc_case_dump(&c, &out);
    assert_string_equal(buf_str(&out), "");
    buf_release(&out);
    rc_case_release(&c);
}

/* More lines than the lens is given at once. */
static void test_long(void **state)
{
    struct buf before = BUF_INIT, after = BUF_INIT;

    (void)state;
    buf_adds(&before, "if [ a ]; then\n");
    buf_adds(&after, "#if [ a ]; then\n");
    buf_adds(&before, "\tnamed");
    buf_adds(&after, "\t#named");
    for (int i = 0; i < 200; i++) {
        buf_printf(&before, " \\\n\t\t-o %d", i);
        buf_printf(&after, " \\\n\t\t#-o %d", i);
    }
    buf_adds(&before, "\nfi\n");
    buf_adds(&after, "\n#fi\n");
    check(&(struct sample){NULL, buf_str(&before), buf_str(&after), NULL});
    buf_release(&before);
    buf_release(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comment),     cmocka_unit_test(test_echo),
        cmocka_unit_test(test_if),          cmocka_unit_test(test_colon),
        cmocka_unit_test(test_inline),      cmocka_unit_test(test_word),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_status),
        cmocka_unit_test(test_nul),         cmocka_unit_test(test_long),
        cmocka_unit_test(test_left),        cmocka_unit_test(test_tells),
        cmocka_unit_test(test_waits),       cmocka_unit_test(test_pid),
        cmocka_unit_test(test_status_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
