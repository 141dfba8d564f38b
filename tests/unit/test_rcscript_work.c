/* Work that stands beside a start: it stays, or the start is refused with the reason. */
#include "rc_case.h"

#define STRING  "it is one of several commands in one string"
#define RUNNER  "the function that runs it does other things too"
#define LOOP    "the loop that starts it does other things too"
#define ENDLESS "the loop around it may never end, what follows it would run"
#define SPINS   "the loop around it would go round without a rest"
#define STAYS   "it stays in the foreground, what follows it would run"
#define WORDS   "its words do more than name what it is given"
#define PRINTED "what is printed beside it does not go to the screen"
#define EXEC    "'exec' ends the script here, what follows it would run"
#define LIST    "whether it runs is decided by another command of its list"

/* A script, and what is left of it; or what locks its only start. */
struct sample {
    const char *before, *after, *why;
};

static void check(const struct sample *s)
{
    struct rc_case c;
    struct buf out = BUF_INIT, refused = BUF_INIT;
    char *why = mem_strdup("");

    rc_case_init(&c, "etc/rc.local", s->before, strlen(s->before));
    if (s->why != NULL) {
        assert_int_equal(c.p.entries.n, 1);
        free(why);
        why = mem_printf("%u: cannot comment out '%s': %s\n", c.p.entries.v[0]->line,
                         c.p.entries.v[0]->name, s->why);
    }
    rc_case_edit(&c, NULL, &out, &refused);
    if (strcmp(buf_str(&refused), why) != 0)
        print_error("script:\n%s\n", s->before);
    assert_string_equal(buf_str(&refused), why);
    assert_string_equal(buf_str(&out), s->after != NULL ? s->after : s->before);
    free(why);
    buf_release(&out);
    buf_release(&refused);
    rc_case_release(&c);
}

static void check_all(const struct sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(&samples[i]);
}

static void test_string(void **state)
{
    static const struct sample samples[] = {
        {"sh -c 'echo 1 > ip_forward; named'\nx\n",                             NULL,                             STRING },
        {"sh -c 'named -f & echo $! > f'\nx\n",                                 NULL,                             STRING },
        {"sh -c '{ echo a; named; } >f'\nx\n",                                  NULL,                             STRING },
        {"sh -c 'echo $(rm y); named'\nx\n",                                    NULL,                             STRING },
        {"sh -c 'named; exec ls'\nx\n",                                         NULL,                             STRING },
        {"eval \"umask 027; cd /tmp; named\"\nx\n",                             NULL,                             STRING },
        {"eval \"x=1; named\"\nx\n",                                            NULL,                             STRING },
        {"eval \"for i in a; do named; done\"\nx\n",                            NULL,                             STRING },
        {"eval 'f() { x; }; named'\nx\n",                                       NULL,                             STRING },
        {"eval 'printf -v x y; named'\nx\n",                                    NULL,                             STRING },
        {"sh -c 'echo a; named' >f\nx\n",                                       NULL,                             PRINTED},
        {"eval \"exec named\"\nx\n",                                            NULL,                             EXEC   },
        {"command exec named\nx\n",                                             NULL,                             EXEC   },
        {"sh -c 'umask 027; cd /; exec 2>&1; X=1; named'\nx\n",
         "#sh -c 'umask 027; cd /; exec 2>&1; X=1; named'\nx\n",                                                  NULL   },
        {"sh -c 'if [ -x n ]; then echo n >/dev/console; exec named; fi'\nx\n",
         "#sh -c 'if [ -x n ]; then echo n >/dev/console; exec named; fi'\nx\n",                                  NULL   },
        {"eval 'echo named; named'\nx\n",                                       "#eval 'echo named; named'\nx\n", NULL   },
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_runner(void **state)
{
    static const struct sample samples[] = {
        {"go() { echo 1 >ip_forward; \"$@\"; }\ngo named\nx\n",                     NULL,                                       RUNNER },
        {"go() { n=$((n+1)); \"$@\"; }\ngo named\nx\n",                             NULL,                                       RUNNER },
        {"go() { \"$@\"; rm -f y; }\ngo named\nx\n",                                NULL,                                       RUNNER },
        {"go() { \"$@\" | logger; }\ngo named\nx\n",                                NULL,                                       RUNNER },
        {"go() { { echo a; \"$@\"; } >f; }\ngo named\nx\n",                         NULL,                                       RUNNER },
        {"go() { echo $(rm y); \"$@\"; }\ngo named\nx\n",                           NULL,                                       RUNNER },
        {"go() { [ ${n:=1} ]; \"$@\"; }\ngo named\nx\n",                            NULL,                                       RUNNER },
        {"go() { v=1; \"$@\"; }\ngo named\nx $v\n",                                 NULL,                                       RUNNER },
        {"go() { [ $v ] || y=1; v=1; \"$@\"; }\ngo named\nx\n",                     NULL,                                       RUNNER },
        {"go() { if [ a ]; then v=1; fi; [ $v ] && \"$@\"; }\ngo named\nx\n",       NULL,                                       RUNNER },
        {"go() { n=$((v + 1)); v=$n; $1 -p $v; }\ngo named\nx\n",                   NULL,                                       RUNNER },
        {"go() { [ a ] && v=4; $1 $v; }\ngo named\nx\n",                            NULL,                                       RUNNER },
        {"go() { PATH=/x; \"$@\"; }\ngo named\nx\n",                                NULL,                                       RUNNER },
        {"go() { \"$1\" stop; \"$1\" start; }\ngo /etc/rc.d/rc.named\nx\n",         NULL,                                       RUNNER },
        {"go() { exec \"$@\"; }\ngo named\nx\n",                                    NULL,                                       RUNNER },
        {"go() { break; \"$@\"; }\ngo named\nx\n",                                  NULL,                                       RUNNER },
        {"all() { for i in $*; do touch $i; $i; done; }\nall named\nx\n",           NULL,                                       RUNNER },
        {"go() { echo $1; \"$@\"; }\ngo named >f\nx\n",                             NULL,                                       PRINTED},
        {"go() { \"$1\" stop; }\ngo /etc/rc.d/rc.named\nx\n",
         "go() { \"$1\" stop; }\ngo /etc/rc.d/rc.named\nx\n",                                                                   NULL   },
        {"go() { echo \"$1:\"; \"$1\" -V; }\ngo named\nx\n",
         "go() { echo \"$1:\"; \"$1\" -V; }\ngo named\nx\n",                                                                    NULL   },
        {"go() { if [ -x $1 ]; then echo $1; \"$@\" >/f & fi; }\ngo named -x\nx\n",
         "go() { if [ -x $1 ]; then echo $1; \"$@\" >/f & fi; }\n#go named -x\nx\n",                                            NULL   },
        {"go() { $1 $2; }\ngo sendmail -bd\ngo sendmail root\n",
         "go() { $1 $2; }\n#go sendmail -bd\ngo sendmail root\n",                                                               NULL   },
        {"go() { if [ \"`lssrc -s $1`\" ]; then startsrc -s $1; else shift; $*; fi; }\n"
         "go named /n/named\nx\n",                                         "go() { if [ \"`lssrc -s $1`\" ]; then startsrc -s $1; else shift; $*; fi; }\n"
         "#go named /n/named\nx\n",                                                  NULL   },
        {"go() { v=`basename $1`; \"$@\"; echo $v; }\ngo named\nx\n",
         "go() { v=`basename $1`; \"$@\"; echo $v; }\n#go named\nx\n",                                                          NULL   },
        {"go() { (exec \"$@\") & }\ngo named\nx\n",                                 "go() { (exec \"$@\") & }\n#go named\nx\n",
         NULL                                                                                                                          },
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_loop(void **state)
{
    static const struct sample samples[] = {
        {"while true; do named -f; sleep 1; done\necho reboot\n",        NULL,                                     ENDLESS},
        {"until false; do named -f; done\nx\n",                          NULL,                                     ENDLESS},
        {"{ while :; do named -f; done; }\nx\n",                         NULL,                                     ENDLESS},
        {"(while :; do named -f; done)\nx\n",                            NULL,                                     ENDLESS},
        {"r() { while :; do named -f; sleep 1; done; }\nr\nx\n",         NULL,                                     ENDLESS},
        {"while :; do named -f; sleep 1; done\n",                        "#while :; do named -f; sleep 1; done\n", NULL   },
        {"(while :; do named -f; done) &\nx\n",                          "#(while :; do named -f; done) &\nx\n",   NULL   },
        {"r() { while :; do named -f; done; }\nr &\nx\n",                "r() { :; }\nr &\nx\n",                   NULL   },
        {"while :; do date >>f; named; done &\nx\n",                     NULL,                                     SPINS  },
        {"while :; do date >>f; named; sleep 9; done &\nx\n",
         "while :; do date >>f; :; sleep 9; done &\nx\n",                                                          NULL   },
        {"sshd -D\nreboot -f\n",                                         NULL,                                     STAYS  },
        {"if [ -x y ]; then sshd -D; fi\nx\n",                           NULL,                                     STAYS  },
        {"sshd -D &\nx\n",                                               "#sshd -D &\nx\n",                        NULL   },
        {"x\nsshd -D\n",                                                 "x\n#sshd -D\n:\n",                       NULL   },
        {"daemon sshd -D\nx\n",                                          "#daemon sshd -D\nx\n",                   NULL   },
        {"for d in named y; do echo $d >>f; $d; done\nx\n",              NULL,                                     LOOP   },
        {"for d in named y; do echo $(z) $d; $d; done\nx\n",             NULL,                                     LOOP   },
        {"for d in named y; do ((n++)); $d; done\nx\n",                  NULL,                                     LOOP   },
        {"for d in named y; do echo $d; $d; done >f\nx\n",               NULL,                                     LOOP   },
        {"for d in named y; do [ -x $d ] && echo $d >&2; $d; done\nx\n",
         "for d in y; do [ -x $d ] && echo $d >&2; $d; done\nx\n",                                                 NULL   },
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_words(void **state)
{
    static const struct sample samples[] = {
        {"[ -n \"${CONF=/etc/named.conf}\" ] && named\nx\n",      NULL,                              LIST },
        {"[ ${CONF:?} ] && named\nx\n",                           NULL,                              LIST },
        {"[[ $os =~ (Li) ]] && named\nx\n",                       NULL,                              LIST },
        {"named -c ${CONF:=/etc/named.conf}\nx\n",                NULL,                              WORDS},
        {"named -c \"${CONF?}\"\nx\n",                            NULL,                              WORDS},
        {"named -u $(useradd named >&2; echo named)\nx\n",        NULL,                              WORDS},
        {"named -u `useradd named`\nx\n",                         NULL,                              WORDS},
        {"named -u $(cat y >f)\nx\n",                             NULL,                              WORDS},
        {"named -u `cat \\`useradd named\\``\nx\n",               NULL,                              WORDS},
        {"named -p $((p+=1))\nx\n",                               NULL,                              WORDS},
        {"named <<E\n$(rm y)\nE\nx\n",                            NULL,                              WORDS},
        {"cat() { rm y; }\nnamed $(cat)\nx\n",                    NULL,                              WORDS},
        {"named -h $(hostname) `cat /f 2>/dev/null` $(</g)\nx\n",
         "#named -h $(hostname) `cat /f 2>/dev/null` $(</g)\nx\n",                                   NULL },
        {"named -p $((p+1)) -o a=b ${c:-d} ${#e} ${?}\nx\n",
         "#named -p $((p+1)) -o a=b ${c:-d} ${#e} ${?}\nx\n",                                        NULL },
        {"named <<'E'\n$(rm y)\nE\nx\n",                          "#named <<'E'\n#$(rm y)\n#E\nx\n", NULL },
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

static void test_heard(void **state)
{
    static const struct sample samples[] = {
        {"{ echo named; named; } >f\nx\n",                            "{ echo named; :; } >f\nx\n",         NULL},
        {"{ echo named; named; y; } | tee f\nx\n",                    "{ echo named; :; y; } | tee f\nx\n", NULL},
        {"go() { echo named; named; }; echo \"$(go)\"\n",
         "go() { echo named; :; }; echo \"$(go)\"\n",                                                       NULL},
        {"go() { echo named; named; y; }\nh() { go; }\nh >f\n",
         "go() { echo named; :; y; }\nh() { go; }\nh >f\n",                                                 NULL},
        {"echo() { touch f; }\necho named\nnamed\nx\n",
         "echo() { touch f; }\necho named\n#named\nx\n",                                                    NULL},
        {"printf -v who named; named\nx\n",                           "printf -v who named; :\nx\n",        NULL},
        {"print -p named\nnamed\nx\n",                                "print -p named\n#named\nx\n",        NULL},
        {"print -n named; named\nx\n",                                "#print -n named; named\nx\n",        NULL},
        {"go() { echo named; named; y; }\ngo\ngo >/dev/console\nx\n",
         "go() { :; y; }\ngo\ngo >/dev/console\nx\n",                                                       NULL},
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

/* Runs that end by themselves start nothing; the others do. */
static void test_asks(void **state)
{
    static const char once[] = "ntpd -gq\nntpd -c f --quit\nchronyd -f f -q\ndnsmasq --test\n"
                               "dhcpd -cf f -t\nhttpd -f f -S\nsnmpd -H\nsshd -f f -t\n"
                               "nginx -c f -tq\nlighttpd -tf f\nproftpd -t\n";
    static const char serve[] = "ntpd -g\nntpd -c -q -n\nchronyd -f q\ndnsmasq -t\ndhcpd -cf t\n"
                                "httpd -f S\nsnmpd\nsshd -f -t\nlighttpd -f -t\nntpd -- -q\n";
    struct rc_case c;

    (void)state;
    rc_case_init(&c, "etc/rc.local", once, strlen(once));
    assert_int_equal(c.p.entries.n, 0);
    rc_case_release(&c);
    rc_case_init(&c, "etc/rc.local", serve, strlen(serve));
    assert_int_equal(c.p.entries.n, 10);
    rc_case_release(&c);
}

static void test_wrappers(void **state)
{
    static const char *const starts[] = {
        "setpriv --reuid bind --regid bind --init-groups /usr/sbin/named",
        "flock -n F named",
        "flock F -c 'named -f'",
        "ip netns exec x named",
        "ip -n y vrf exec x named",
        "systemd-run -u x --slice y named",
        "setarch i386 named",
        "setarch -R named",
        "linux32 -B nohup named",
        "s6-setuidgid u named",
        "nsenter -t 1 -m named",
        "strace -f -o f named",
    };
    static const char *const others[] = {"flock 9\n", "ip link set named up\n", "flock named x\n",
                                         "ip netns add named\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        char *before = mem_printf("%s\nx\n", starts[i]), *after = mem_printf("#%s", before);

        check(&(struct sample){before, after, NULL});
        free(before);
        free(after);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        check(&(struct sample){others[i], others[i], NULL});
    check(&(struct sample){"coproc named\nx\n", NULL, "'coproc' hands its output to the script"});
}

/* A name that is only known where a variable is empty. */
static void test_default(void **state)
{
    static const struct sample samples[] = {
        {"x=$(y); ${x:-named}\n",             NULL,                                "its program '${x:-named}' is not a constant of this file"},
        {"x=$(y)\n\"${x-/n/named}\" -c z\n",  NULL,
         "its program '\"${x-/n/named}\"' is not a constant of this file"                                                                    },
        {"x=$(y); ${x:-ls}\n${x:}\n${x:-}\n", "x=$(y); ${x:-ls}\n${x:}\n${x:-}\n", NULL                                                      },
    };

    (void)state;
    check_all(samples, ARRAY_LEN(samples));
}

/* Hostile files end soon: no more are noted than will be read. */
static void test_hostile(void **state)
{
    struct buf inittab = BUF_INIT, script = BUF_INIT;
    struct rc_case c;

    (void)state;
    for (int i = 0; i < 60000; i++)
        buf_printf(&inittab, "::once:/etc/rc.%d\n", i);
    for (int i = 0; i < 60000; i++)
        buf_printf(&script, ". /etc/rc.%d\n", i);
    rc_case_init(&c, "etc/inittab", inittab.data, inittab.len);
    assert_int_equal(c.p.more.n, 4096);
    rc_case_release(&c);
    rc_case_init(&c, "etc/rc", script.data, script.len);
    assert_int_equal(c.p.more.n, 4096);
    rc_case_release(&c);
    buf_clear(&script);
    for (int i = 0; i < 20000; i++)
        buf_printf(&script, "f%d() { v%d=1; \"$@\"; }\nf%d named\n", i, i, i);
    rc_case_init(&c, "etc/rc", script.data, script.len);
    assert_int_equal(c.p.entries.n, 1000);
    rc_case_release(&c);
    buf_clear(&script);
    for (int i = 0; i < 20000; i++)
        buf_printf(&script, "f%d() { f%d; f%d; echo named; named; }\n", i, i + 1, i + 1);
    rc_case_init(&c, "etc/rc", script.data, script.len);
    assert_int_equal(c.p.entries.n, 1000);
    rc_case_release(&c);
    buf_clear(&script);
    buf_adds(&script, "f() { if x; then while :; do named -f; sleep 1; done; fi; }\n"
                      "g() { case $x in\n");
    for (int i = 0; i < 10000; i++)
        buf_adds(&script, "a) f;;\n");
    buf_adds(&script, "esac; }\n");
    for (int i = 0; i < 10000; i++)
        buf_adds(&script, "g &\n");
    rc_case_init(&c, "etc/rc", script.data, script.len);
    assert_int_equal(c.p.entries.n, 1);
    rc_case_release(&c);
    buf_release(&inittab);
    buf_release(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_string),   cmocka_unit_test(test_runner),
        cmocka_unit_test(test_loop),     cmocka_unit_test(test_words),
        cmocka_unit_test(test_heard),    cmocka_unit_test(test_asks),
        cmocka_unit_test(test_wrappers), cmocka_unit_test(test_default),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
