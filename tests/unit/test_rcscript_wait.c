/* What a loop waits for. */

#include "rc_case.h"

static void check(const char *before, const char *after, const char *why)
{
    struct rc_case c;
    struct buf out = BUF_INIT, refused = BUF_INIT;

    rc_case_init(&c, "etc/rc.local", before, strlen(before));
    rc_case_edit(&c, NULL, &out, &refused);
    if (strcmp(buf_str(&out), after) != 0)
        print_error("script:\n%s\n", before);
    assert_string_equal(buf_str(&out), after);
    assert_string_equal(buf_str(&refused), why);
    buf_release(&out);
    buf_release(&refused);
    rc_case_release(&c);
}

/* What a loop asks, by way of functions, values and ports, and without a pause. */
static void test_waits_indirect(void **state)
{
    static const struct {
        unsigned line;
        const char *name, *script;
    } kept[] = {
        {1, "named",
         "named &\nready() { pidof named >/dev/null; }\nwhile ! ready; do sleep 1; done\n"           },
        {1, "rpcbind",  "rpcbind\nup() { rpcinfo -p | grep -q x; }\nuntil up; do sleep 1; done\n"    },
        {1, "named",    "named\na() { b; }\nb() { c named; }\nuntil x; do a; done\n"                 },
        {1, "named",    "named\nw() { until r; do x; done; }\nr() { [ -f /run/named.pid ]; }\nw\n"   },
        {1, "portmap",  "portmap\nuntil rpcinfo -p; do :; done\n"                                    },
        {1, "named",    "named\nuntil host localhost; do echo waiting; done\n"                       },
        {1, "named",    "named\nwhile :; do pidof named && break; done\n"                            },
        {1, "named",    "named\nuntil read x </run/named.pid; do x; done\n"                          },
        {1, "sshd",     "sshd\nuntil nc -z localhost 22; do sleep 1; done\n"                         },
        {1, "sshd",     "sshd\nuntil (: </dev/tcp/localhost/22); do sleep 1; done\n"                 },
        {1, "sendmail", "sendmail -bd\nuntil telnet localhost 25; do sleep 1; done\n"                },
        {1, "inetd",    "inetd\nuntil nc -z localhost 23; do sleep 1; done\n"                        },
        {1, "named",    "named\nuntil netstat -an | grep '[*]\\.53 '; do sleep 1; done\n"            },
        {1, "named",    "named\nuntil [ -n \"$(ss -ln | grep :53)\" ]; do sleep 1; done\n"           },
        {1, "rpcbind",  "rpcbind\nR=/usr/sbin/rpcinfo\nuntil $R -p; do sleep 1; done\n"              },
        {1, "rpcbind",  "rpcbind\nuntil timeout 5 rpcinfo -p; do sleep 1; done\n"                    },
        {1, "rpcbind",  "rpcbind\nw() { until \"$@\"; do x; done; }\nw rpcinfo -p\n"                 },
        {1, "httpd",    "httpd\nuntil wget http://localhost/; do sleep 1; done\n"                    },
        {2, "named",    "P=/run/named.pid\nnamed\nuntil [ -f $P ]; do x; done\nP=/run/foo.pid\nfoo\n"},
        {3, "named",    "A=/run/named\nP=$A.pid\nnamed\nuntil [ -f $P ]; do x; done\nA=x\nP=y\n"     },
        {1, "named",    "named\n: ${P:=/run/named.pid}\nuntil [ -f $P ]; do x; done\nP=y\n"          },
        {1, "named",    "named\nfor d in foo named; do until pidof $d; do x; done; done\n"           },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        struct buf why = BUF_INIT;

        buf_printf(&why, "%u: cannot comment out '%s': a loop waits for it\n", kept[i].line,
                   kept[i].name);
        check(kept[i].script, kept[i].script, buf_str(&why));
        buf_release(&why);
    }
}

/* Loops that wait for something else, whatever their words look like. */
static void test_waits_else(void **state)
{
    static const struct {
        const char *name, *loop;
    } loops[] = {
        {"named", "while ! ping -c 1 $HOST; do sleep 1; done"           },
        {"named", "while ! ping -c 1 ${HOST}; do sleep 1; done"         },
        {"named", "until host_up; do sleep 1; done"                     },
        {"named", "until ping 10.0.0.53; do sleep 1; done"              },
        {"named", "until ping x; do sleep 1; # not named, no host\ndone"},
        {"named", "while read x; do echo named $x; done </etc/x"        },
        {"httpd", "until wget http://www.example.com/; do sleep 1; done"},
        {"httpd", "while [ $i -lt 80 ]; do i=`expr $i + 1`; done"       },
        {"httpd", "N=80\nwhile [ $i -lt $N ]; do i=`expr $i + 1`; done" },
        {"httpd", "while test -e /x; do sleep 80; done"                 },
        {"sshd",  "until mkdir /tmp/22; do x -22; done"                 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(loops); i++) {
        struct buf before = BUF_INIT, after = BUF_INIT;

        buf_printf(&before, "%s\n%s\nx\n", loops[i].name, loops[i].loop);
        buf_printf(&after, "#%s", buf_str(&before));
        check(buf_str(&before), buf_str(&after), "");
        buf_release(&before);
        buf_release(&after);
    }
}

/* Words by the thousand, which the table of names grows with. */
static void test_waits_many(void **state)
{
    enum { WORDS = 80000 };
    struct buf script = BUF_INIT;
    struct rc_case c;

    (void)state;
    buf_adds(&script, "named\nwhile ! test -e /x; do\n: <<E\n");
    for (unsigned i = 0; i < WORDS; i++)
        buf_printf(&script, "%xw%s", i, i % 16 == 15 ? "\n" : " ");
    buf_adds(&script, "\nE\nsleep 1\ndone\n");
    rc_case_init(&c, "etc/rc.local", buf_str(&script), script.len);
    assert_int_equal(c.p.entries.n, 1);
    rc_case_release(&c);
    buf_release(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_indirect),
        cmocka_unit_test(test_waits_else),
        cmocka_unit_test(test_waits_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
