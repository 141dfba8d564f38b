#include "rc_case.h"

struct sample {
    const char *script;
    const char *entries;
};

static void check_path(const char *path, const struct sample *s)
{
    struct rc_case c;
    struct buf out = BUF_INIT;

    rc_case_init(&c, path, s->script, strlen(s->script));
    rc_case_dump(&c, &out);
    if (strcmp(buf_str(&out), s->entries) != 0)
        print_error("script:\n%s\n", s->script);
    assert_string_equal(buf_str(&out), s->entries);
    buf_release(&out);
    rc_case_release(&c);
}

static void check_all(const struct sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_path("etc/rc.local", &samples[i]);
}

static void test_direct(void **state)
{
    static const struct sample samples[] = {
        {"named\n",                                                  "1:1 named\n"           },
        {"echo -n ' named';\tnamed\n",                               "1:19 named\n"          },
        {"/usr/sbin/in.telnetd -p 23 &\n",                           "1:1 in.telnetd\n"      },
        {"if [ -x /usr/sbin/named ]; then\n\t/usr/sbin/named\nfi\n", "2:2 named\n"           },
        {"[ -x /sbin/portmap ] && /sbin/portmap\n",                  "1:25 portmap\n"        },
        {"{ echo -n ' named'; named; } >/dev/console\n",             "1:21 named\n"          },
        {"(/usr/sbin/named > /dev/null 2>&1) &\n",                   "1:2 named\n"           },
        {"named \\\n  -c x\nnamed\n",                                "1:1 named\n3:1 named\n"},
        {"sendmail -bd -q30m\n",                                     "1:1 sendmail\n"        },
        {"start() {\n  inetd\n}\nstart\n",                           "2:3 inetd\n"           },
        {"@PREFIX@/sbin/named\n",                                    "1:1 named\n"           },
        {"$BIN/named `cat x`\n",                                     "1:1 named\n"           },
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_named_only(void **state)
{
    static const char *const samples[] = {
        "killall -9 named\n",
        "grep named /etc/passwd\n",
        "echo named\n",
        "[ -x /usr/sbin/named ]\n",
        "test -f /usr/sbin/named || exit\n",
        "NAMED=/usr/sbin/named\n",
        "case $1 in named) echo no;; inetd|portmap) ;; esac\n",
        "cat <<E\nnamed\ninetd\nE\n",
        "modprobe nfsd\ninsmod nfsd.o\n",
        "mount -t nfsd nfsd /proc/fs/nfsd\n",
        "NFSD=rpc.nfsd\nrun $NFSD 0\n",
        "rpc.nfsd 0\n",
        "which named\ncommand -v named\ntype named\n",
        "pidof named\nps ax | grep inetd\n",
        "chown named /var/named; rm -f /usr/sbin/named\n",
        "sendmail root </dev/null\nmail named\n",
        "named -v\nsshd -t\nhttpd -k stop\nsquid -z\n",
        "/etc/rc.d/rc.inetd stop\n/etc/init.d/named status\n",
        "start-stop-daemon --stop --exec /usr/sbin/named\n",
        "start-stop-daemon -K -x telnetd\n",
        "rcctl enable inetd\nsystemctl stop named\nservice named stop\n",
        "x='\nnamed\n'\n",
        "# named is the name server\n# inetd\n",
        "named() { echo no; }\nnamed\n",
        "trap 'named' 1\n",
        "printf '%s' named | while read x; do echo $x; done\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++)
        check_path("etc/rc.local", &(struct sample){samples[i], ""});
}

static void test_variables(void **state)
{
    static const struct sample samples[] = {
        {"NAMED=/usr/sbin/named\n$NAMED -c x\n",                                              "2:1 named\n"           },
        {"D=/usr/etc; N=$D/named\n\"$N\"\n${N}\n",                                            "2:1 named\n3:1 named\n"},
        {"${named_program:-named} $flags\n",                                                  "1:1 named\n"           },
        {"export P=portmap\n$P\n",                                                            "2:1 portmap\n"         },
        {": ${P:=portmap}\n$P\n",                                                             "2:1 portmap\n"         },
        {"C='named -u bind'\n$C\n",                                                           "2:1 named\n"           },
        {"if x; then N=/a/named; else N=/b/named; fi\n$N\n",                                  "2:1 named\n"           },
        {"f() { $N; }\nN=named\nf\n",                                                         "1:7 named\n"           },
        {"N=named\n$N\nN=ls\n$N\n",                                                           "2:1 named\n"           },
        {"if x; then N=ls; fi\nif y; then N=named; fi\n$N\n",
         "3:1 named loose locked: a variable in it is set in more than one way\n"                                     },
        {"if x; then N=/a/named; else N=; fi\n$N -c x\n",                                     "2:1 named\n"           },
        {"N=\nif x; then N=named; fi\n$N -c x\n",                                             "3:1 named\n"           },
        {"N=named\nN=\n$N -c x\n",                                                            ""                      },
        {"$NAMED -x\n",
         "1:1 named loose locked: its program '$NAMED' is not a constant of this file\n"                              },
        {"N=`cat x`\n$N\n$1\n\"$@\"\n",                                                       ""                      },
        {"A=x; A=$A$A$A$A; A=$A$A$A$A; A=$A$A$A$A; A=$A$A$A$A; A=$A$A$A$A; A=$A$A$A$A\n$A\n", ""                      },
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_wrappers(void **state)
{
    static const struct sample samples[] = {
        {"nohup named &\nnice -n 5 named\nnice -5 named\n",                               "1:1 named\n2:1 named\n3:1 named\n"},
        {"exec /usr/sbin/inetd\n",                                                        "1:1 inetd\n"                      },
        {"env -i PATH=/bin named\nsetsid named\n",                                        "1:1 named\n2:1 named\n"           },
        {"eval nfsd\neval \"nfsd -u $x\"\n",                                              "1:1 nfsd\n2:1 nfsd\n"             },
        {"daemonize tcpd telnet in.telnetd\n",                                            "1:1 in.telnetd\n"                 },
        {"daemon --user x named -u x\ndaemon -p /p named\n",                              "1:1 named\n2:1 named\n"           },
        {"start-stop-daemon --start --quiet --exec /usr/sbin/named -- -u x\n",            "1:1 named\n"                      },
        {"start-stop-daemon -S -b -x telnetd -- -l sh\nstart-stop-daemon -Sbx telnetd\n",
         "1:1 telnetd\n2:1 telnetd\n"                                                                                        },
        {"tcpsvd -vE 0.0.0.0 21 ftpd -w / &\nudpsvd 0 69 tftpd x\n",                      "1:1 ftpd\n2:1 tftpd\n"            },
        {"busybox telnetd\ndropbearmulti dropbear\n",                                     "1:1 telnetd\n2:1 dropbear\n"      },
        {"su - daemon -c 'named -f'\nsh -c \"named\"\n",                                  "1:1 named\n2:1 named\n"           },
        {"sh -c 'rm x; named'\n",
         "1:1 named locked: it is one of several commands in one string\n"                                                   },
        {"start_daemon -p x /usr/sbin/named -u x\n",                                      "1:1 named\n"                      },
        {"start_daemon a b named c\n",                                                    "1:18 named\n"                     },
        {"rcctl start inetd # x\nservice named start\nsystemctl start named nfsd\n",
         "1:1 inetd indirect\n2:1 named indirect\n3:17 named indirect\n3:23 nfsd indirect\n"                                 },
        {"run() { \"$@\" & }\nrun named -x\n",                                            "2:1 named\n"                      },
        {"go() { echo $1; shift; $1 $2; }\ngo x named\n",                                 "2:1 named\n"                      },
        {"all() { for i in $*; do $i; done; }\nall a named b\n",                          "2:7 named\n"                      },
        {"start()\n{\n  startsrc -s $1\n}\nstart rpc.statd\nstartsrc -s inetd\n",
         "5:1 rpc.statd\n6:1 inetd\n"                                                                                        },
        {"for d in portmap mountd x; do echo $d; $d; done\n",                             "1:10 portmap\n1:18 mountd\n"      },
        {"for d in portmap x; do rm $d; $d; done\n",
         "1:10 portmap locked: the loop that starts it does other things too\n"                                              },
        {"for d in portmap; do /usr/sbin/$d; done\n",                                     "1:1 portmap\n"                    },
        {"start-stop-daemon --start --exec=/usr/sbin/named -- -x\n",                      "1:1 named\n"                      },
        {"start-stop-daemon -S -p/var/run/Kx.pid -x/usr/sbin/named\n",                    "1:1 named\n"                      },
        {"start-stop-daemon --start --test --exec /usr/sbin/named\n",                     ""                                 },
        {"daemon \"named -u x\"\nrunuser -l x -c 'named -f'\nrunuser -u x named\n",
         "1:1 named\n2:1 named\n3:1 named\n"                                                                                 },
        {"su x --command 'named'\ntrap named 0\ntrap named 1\n",                          "1:1 named\n2:1 named\n"           },
        {"portmap -v\nnamed -v\n",                                                        "1:1 portmap\n"                    },
        {"chroot /jail named\nsudo -u x named\ntime named\n",                             "1:1 named\n2:1 named\n3:1 named\n"},
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_indirect(void **state)
{
    static const struct sample samples[] = {
        {"/sbin/init.d/nfs.server start\n",                         "1:1 nfsd indirect\n"   },
        {"/etc/rc.d/rc.inetd start\n",                              "1:1 inetd indirect\n"  },
        {"sh /etc/rc.d/rc.bind start\n",                            "1:1 named indirect\n"  },
        {"/etc/init.d/portmap start\n/etc/rc.d/install/rc.named\n",
         "1:1 portmap indirect\n2:1 named indirect\n"                                       },
        {"/etc/init.d/S50telnet.sh restart\n",                      "1:1 telnetd indirect\n"},
        {"/etc/rc.d/rc.local start\nsh /etc/rc.M\n",                ""                      },
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_locked(void **state)
{
    static const struct sample samples[] = {
        {"if named; then x; fi\n",                                         "1:4 named locked: its exit status is a condition\n"             },
        {"named || exit 1\n",
         "1:1 named locked: its exit status decides whether another command runs\n"                                                         },
        {"grep -q x /y && named\n",
         "1:17 named locked: whether it runs is decided by another command of its list\n"                                                   },
        {"named | logger\n",                                               "1:1 named locked: it is part of a pipeline\n"                   },
        {"named\nif [ $? = 0 ]; then echo; fi\n",
         "1:1 named locked: its exit status is looked at\n"                                                                                 },
        {"ok() { return $?; }\nnamed\nok\n",                               "2:1 named locked: its exit status is looked at\n"               },
        {"x=`named`\n",                                                    "1:4 named locked: its output is used by the command around it\n"},
        {"named &\necho $! >/var/run/pid\n",
         "1:1 named locked: its process id is used by a command behind it\n"                                                                },
        {"if x; then\nnamed &\nfi\necho $! >pid\n",
         "2:1 named locked: its process id is used by a command behind it\n"                                                                },
        {"named & x &\necho $!\n",                                         "1:1 named\n"                                                    },
        {"! named\n",                                                      "1:3 named locked: its exit status is turned round\n"            },
        {"f() { named; }\nif f; then x; fi\n",                             "1:7 named locked: its exit status is looked at\n"               },
        {"exec named\nls\n",
         "1:1 named locked: 'exec' ends the script here, what follows it would run\n"                                                       },
        {"if x; then exec named; fi\nls\n",
         "1:12 named locked: 'exec' ends the script here, what follows it would run\n"                                                      },
        {"f() { named; }\nf\nif [ $? = 0 ]; then x; fi\n",
         "1:7 named locked: its exit status is looked at\n"                                                                                 },
        {"f() { named; }\ng() { f; }\ng && x\n",
         "1:7 named locked: its exit status is looked at\n"                                                                                 },
        {"f() { x; named; return; }\nf || y\n",
         "1:10 named locked: its exit status is looked at\n"                                                                                },
        {"x\nnamed &\n[ $? = 0 ] && y\n",                                  "2:1 named locked: its exit status is looked at\n"               },
        {"pid() { echo $! >p; }\nnamed &\npid\n",
         "2:1 named locked: its process id is used by a command behind it\n"                                                                },
        {"named &\na;b;c;d;e;f;g;h;i\nkill $!\n",
         "1:1 named locked: its process id is used by a command behind it\n"                                                                },
        {"named &\nif x; then y & fi\nkill $!\n",
         "1:1 named locked: its process id is used by a command behind it\n"                                                                },
        {"named &\nwhile [ ! -f /var/run/named.pid ]; do sleep 1; done\n",
         "1:1 named locked: a loop waits for it\n"                                                                                          },
        {"rpc.statd\nuntil pidof statd; do sleep 1; done\n",
         "1:1 rpc.statd locked: a loop waits for it\n"                                                                                      },
        {"named\nuntil [ $hostnamed ]; do x; done\n",                      "1:1 named\n"                                                    },
        {"while x; do named; done\n",
         "1:13 named locked: the loop around it would go round without a rest\n"                                                            },
        {"D='portmap named'\nfor d in $D; do $d; done\n",
         "2:10 portmap locked: it is one of several words in one variable\n"
         "2:10 named locked: it is one of several words in one variable\n"                                                                  },
        {"(exec named) &\nls\n",                                           "1:2 named\n"                                                    },
        {"if x; then\nnamed\n",                                            "2:1 named locked: the script is not balanced, see line 1\n"     },
        {"fi\nnamed\n",                                                    "2:1 named locked: the script is not balanced, see line 1\n"     },
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_disabled(void **state)
{
    static const struct sample samples[] = {
        {"#named \\\n#\t-c x\n",                                    "1:1 named off\n"         },
        {"#named\n",                                                "1:1 named off\n"         },
        {"\t#named -c x\n",                                         "1:2 named off\n"         },
        {"# /usr/sbin/named\n",                                     "1:1 named off\n"         },
        {"#echo -n ' named';\tnamed\n",                             "1:1 named off\n"         },
        {"# sendmail -bd -q30m\n",                                  "1:1 sendmail off\n"      },
        {"#tcpsvd 0 21 ftpd -w / &\n",                              "1:1 ftpd off\n"          },
        {"#/etc/rc.d/rc.inetd start\n",                             "1:1 inetd indirect off\n"},
        {"#inetd starts what is left\n#portmap or else\n# inetd\n", ""                        },
        {"cat <<E\n#named\nE\nx='\n#named'\n",                      ""                        },
        {"ls # named -x\n#!/usr/sbin/named\n",                      ""                        },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct sample s = samples[i];

        if (strstr(s.entries, "indirect off") != NULL)
            s.entries = "1:1 inetd off indirect\n";
        check_path("etc/rc", &s);
    }
}

static void test_init(void **state)
{
    static const char why[] =
        " report locked: it is an init script, which is switched off from outside\n";
    static const struct {
        const char *path, *script, *entry;
    } samples[] = {
        {"etc/init.d/bind9",  "case \"$1\" in\nstart) named;;\nrestart) named;;\nesac\n",
         "2:8 named"                                                                                         },
        {"etc/rc.d/named",
         ". /etc/rc.subr\nname=named\ncommand=/usr/sbin/named\nrun_rc_command $1\n",            "3:1 named"  },
        {"etc/rc.d/portmap",  "daemon=\"/usr/sbin/portmap\"\n. /etc/rc.d/rc.subr\nrc_cmd $1\n",
         "1:1 portmap"                                                                                       },
        {"etc/init.d/telnet", "#!/bin/sh /etc/rc.common\nstart() {\n telnetd\n}\n",             "3:2 telnetd"},
        {"sbin/init.d/named", "case $1 in\n'start')\n/usr/sbin/named\n;;\nesac\n",              "3:1 named"  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        char *entries = mem_printf("%s%s", samples[i].entry, why);

        check_path(samples[i].path, &(struct sample){samples[i].script, entries});
        free(entries);
    }
    check_path("etc/rc.d/rc.inetd",
               &(struct sample){"case \"$1\" in\nstart) inetd;;\nesac\n", "2:8 inetd\n"});
    check_path("etc/init.d/rcS",
               &(struct sample){"case \"$1\" in\nstart) inetd;;\nesac\n", "2:8 inetd\n"});
    check_path("etc/rc.local", &(struct sample){"#!/usr/bin/perl\nnamed\n", ""});
}

static void test_more(void **state)
{
    static const char script[] = ". /etc/rc.conf\nsource /etc/x\nD=/etc\n. $D/y\n. ./z\n. $1\n";
    static const char inittab[] =
        "# si:1:sysinit:/etc/no\nid:2:initdefault:\n"
        "si::sysinit:/etc/init.d/rcS\nl2:2:wait:/etc/rc.d/rc 2 >/dev/null\n"
        "::respawn:/sbin/getty 9600 tty1\n::once:/bin/sh /opt/rc.start\n"
        "ca::ctrlaltdel:/etc/reboot\n";
    struct rc_case c;

    (void)state;
    rc_case_init(&c, "etc/rc", script, sizeof(script) - 1);
    assert_int_equal(c.p.more.n, 3);
    assert_string_equal(c.p.more.v[0], "etc/rc.conf");
    assert_string_equal(c.p.more.v[1], "etc/x");
    assert_string_equal(c.p.more.v[2], "etc/y");
    rc_case_release(&c);
    rc_case_init(&c, "etc/inittab", inittab, sizeof(inittab) - 1);
    assert_int_equal(c.p.more.n, 3);
    assert_string_equal(c.p.more.v[0], "etc/init.d/rcS");
    assert_string_equal(c.p.more.v[1], "etc/rc.d/rc");
    assert_string_equal(c.p.more.v[2], "opt/rc.start");
    rc_case_release(&c);
}

static void test_problems(void **state)
{
    struct rc_case c;

    (void)state;
    rc_case_init(&c, "etc/rc", "named\n  fi\n", 11);
    assert_int_equal(c.p.problems.n, 1);
    assert_string_equal(c.p.problems.v[0].code, "unknown-line");
    assert_int_equal(c.p.problems.v[0].line, 2);
    assert_int_equal(c.p.problems.v[0].column, 3);
    assert_string_equal(c.p.problems.v[0].path, "etc/rc");
    rc_case_release(&c);
}

static void test_fields(void **state)
{
    static const char script[] = "N=/usr/sbin/named\nnice -n 3 $N \\\n  -c \"$x\" &\n";
    struct rc_case c;
    const struct entry *e;

    (void)state;
    rc_case_init(&c, "etc/rc", script, sizeof(script) - 1);
    assert_int_equal(c.p.entries.n, 1);
    e = c.p.entries.v[0];
    assert_int_equal(e->line, 2);
    assert_int_equal(e->last_line, 3);
    assert_int_equal(e->start, 18);
    assert_int_equal(e->end, sizeof(script) - 1);
    assert_string_equal(e->program, "/usr/sbin/named");
    assert_string_equal(e->argv[0], "nice");
    assert_string_equal(e->argv[3], "/usr/sbin/named");
    assert_string_equal(e->argv[5], "\"$x\"");
    assert_null(e->argv[6]);
    rc_case_release(&c);
}

/* A word that may be another when the script runs is shown as it is written. */
static void test_inexact(void **state)
{
    static const char script[] = "if x; then P=2323; N=telnetd; fi\nQ=$P/x\nR=7\n"
                                 "$N -p $P -q ${Q} -r $R ${n:-d}\n";
    static const char *const argv[] = {"$N", "-p", "$P", "-q", "${Q}", "-r", "7", "${n:-d}"};
    struct rc_case c;

    (void)state;
    rc_case_init(&c, "etc/rc", script, sizeof(script) - 1);
    assert_int_equal(c.p.entries.n, 1);
    assert_string_equal(c.p.entries.v[0]->program, "telnetd");
    for (size_t i = 0; i < ARRAY_LEN(argv); i++)
        assert_string_equal(c.p.entries.v[0]->argv[i], argv[i]);
    rc_case_release(&c);
}

/* Hostile scripts end soon, and their starts are counted. */
static void test_many(void **state)
{
    struct buf b = BUF_INIT;
    struct rc_case c;

    (void)state;
    for (int i = 0; i < 20000; i++)
        buf_printf(&b, "v%d=named\n$v%d\nfor d in a named; do $d; done\n#named\n", i, i);
    rc_case_init(&c, "etc/rc", b.data, b.len);
    assert_int_equal(c.p.entries.n, 1000);
    assert_int_equal(c.p.problems.n, 1);
    rc_case_release(&c);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_direct),    cmocka_unit_test(test_named_only),
        cmocka_unit_test(test_variables), cmocka_unit_test(test_wrappers),
        cmocka_unit_test(test_indirect),  cmocka_unit_test(test_locked),
        cmocka_unit_test(test_disabled),  cmocka_unit_test(test_init),
        cmocka_unit_test(test_more),      cmocka_unit_test(test_problems),
        cmocka_unit_test(test_fields),    cmocka_unit_test(test_inexact),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
