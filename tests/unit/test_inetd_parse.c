#include "inetd_case.h"

#include "../../src/starters/inetd.h"

/* The one entry of a text, as "name address proto user program argv... rpc=X flags=N". */
static char *entry_text(const char *dialect, const char *text)
{
    struct buf out = BUF_INIT;
    struct inetd_case c;

    case_text(&c, dialect, text);
    for (size_t i = 0; i < c.parse.entries.n; i++) {
        const struct entry *e = c.parse.entries.v[i];

        buf_printf(&out, "%s%s%s %s %s %s %s", i > 0 ? "; " : "", e->enabled ? "" : "off ", e->name,
                   e->address, e->proto ? e->proto : "-", e->user ? e->user : "-",
                   e->program ? e->program : "-");
        for (size_t k = 0; e->argv[k] != NULL; k++)
            buf_printf(&out, " [%s]", e->argv[k]);
        if (e->rpc != NULL)
            buf_printf(&out, " rpc=%s", e->rpc);
        buf_printf(&out, "%s%s", e->flags & ENTRY_INTERNAL ? " internal" : "",
                   e->flags & ENTRY_WAIT ? " wait" : "");
    }
    for (size_t i = 0; i < c.parse.problems.n; i++)
        buf_printf(&out, "%s!%u:%u %s", out.len > 0 ? "; " : "", c.parse.problems.v[i].line,
                   c.parse.problems.v[i].column, c.parse.problems.v[i].code);
    case_free(&c);
    return buf_steal(&out);
}

static void check(const char *dialect, const char *text, const char *want)
{
    char *got = entry_text(dialect, text);

    if (strcmp(got, want) != 0)
        fail_msg("%s, '%s': expected '%s', got '%s'", dialect, text, want, got);
    free(got);
}

static void test_columns(void **state)
{
    (void)state;
    check("openbsd", "telnet stream tcp nowait root /usr/sbin/tcpd in.telnetd -h\n",
          "telnet * tcp root /usr/sbin/tcpd [in.telnetd] [-h]");
    check("openbsd", "ftp\tstream\ttcp,sndbuf=16k,rcvbuf=8k\tnowait.400\tnobody.tty\t/ftpd\n",
          "ftp * tcp nobody.tty /ftpd");
    check("openbsd", "talk dgram udp wait root:tty /talkd talkd",
          "talk * udp root:tty /talkd [talkd] wait");
    check("freebsd", "finger stream tcp46 nowait/10/5 root:wheel/daemon /fingerd fingerd",
          "finger * tcp46 root:wheel/daemon /fingerd [fingerd]");
    check("openbsd", "echo dgram udp wait root internal\n", "echo * udp root - internal wait");
    check("openbsd", "echo dgram udp wait root internal\r\n", "echo * udp root internal\r wait");
    check("inetutils", "echo dgram udp wait root internal\r\n", "echo * udp root - internal wait");
    check("openbsd", "/run/lpd stream unix nowait root /lpd lpd\n",
          "/run/lpd * unix root /lpd [lpd]");
    check("inetutils", "tcpmux/+date stream tcp nowait guest /bin/date date\n",
          "tcpmux/+date * tcp guest /bin/date [date]");
    check("netbsd", "http stream:httpready tcp nowait:600 www /httpd httpd\n",
          "http * tcp www /httpd [httpd]");
    check("openbsd", "ssh stream tcp nowait root\n", "ssh * tcp root -");
    check("openbsd", "ssh stream tcp nowait\n", "!1:1 unknown-line");
    check("openbsd", " \tssh rdm tcp nowait root /sshd\n", "ssh * tcp root /sshd");
}

static void test_kin(void **state)
{
    (void)state;
    check("classic", "telnet stream tcp nowait /etc/telnetd telnetd\n",
          "telnet * tcp - /etc/telnetd [telnetd]");
    check("classic", "time stream tcp nowait internal\n", "time * tcp - - internal");
    check("openbsd", "telnet stream tcp nowait /etc/telnetd telnetd\n",
          "telnet * tcp - /etc/telnetd [telnetd]");
    check("classic", "comsat dgram udp swait /etc/comsat comsat\n",
          "comsat * udp - /etc/comsat [comsat] wait");
    check("openbsd", "comsat dgram udp swait root /etc/comsat comsat\n",
          "comsat * udp root /etc/comsat [comsat]");
    check("classic", "mountd/1,3 dgram rpc/udp wait/lc root ?/etc/rpc.mountd mountd\n",
          "mountd/1,3 * rpc/udp root /etc/rpc.mountd [mountd] rpc=mountd wait");
    check("classic", "pop3 stream tcp nowait root ? /etc/popd popd -s\n",
          "pop3 * tcp root /etc/popd [popd] [-s]");
    check("classic", "rusersd/2-3 tli rpc/datagram_v,circuit_v wait root /rusersd rpc.rusersd\n",
          "rusersd/2-3 * rpc/datagram_v root /rusersd [rpc.rusersd] rpc=rusersd wait");
    check("classic", "rpc stream tcp nowait root /rpc.rexd 100017 1 rpc.rexd\n",
          "rpc * tcp root /rpc.rexd [rpc.rexd] rpc=100017");
    check("classic", "rstatd sunrpc_udp udp wait root /rpc.rstatd rstatd 100001 1-3\n",
          "rstatd * udp root /rpc.rstatd [rstatd] [100001] [1-3] rpc=rstatd wait");
    check("classic", "tftp dgram udp wait root /tftpd tftpd\\\n /srv\\\n /boot\n",
          "tftp * udp root /tftpd [tftpd] [/srv] [/boot] wait");
    check("openbsd", "100083/1 stream rpc/tcp wait root /ttdb ttdb\n",
          "100083/1 * rpc/tcp root /ttdb [ttdb] rpc=100083 wait");
}

static void test_addresses(void **state)
{
    (void)state;
    check("openbsd", "127.0.0.1:imap stream tcp nowait root /i i\n",
          "imap 127.0.0.1 tcp root /i [i]");
    check("openbsd", "[::1]:imap stream tcp6 nowait root /i i\n", "imap ::1 tcp6 root /i [i]");
    check("inetutils", "[::1]:imap stream tcp6 nowait root /i i\n", "imap [::1] tcp6 root /i [i]");
    check("openbsd", "::1:imap stream tcp6 nowait root /i i\n", "imap ::1 tcp6 root /i [i]");
    check("openbsd", ":imap stream tcp nowait root /i i\n", "imap * tcp root /i [i]");
    check("openbsd", "127.0.0.1: imap stream tcp nowait root /i i\n",
          "imap 127.0.0.1 tcp root /i [i]");
    check("inetutils", "127.0.0.1: imap stream tcp nowait root /i i\n", "!1:1 unknown-line");
    check("openbsd",
          "127.0.0.1:\nimap stream tcp nowait root /i i\n*:\npop3 stream tcp nowait root /p p\n",
          "imap 127.0.0.1 tcp root /i [i]; pop3 * tcp root /p [p]");
    check("busybox",
          "localhost:\n*:imap stream tcp nowait root /i i\npop3 stream tcp nowait root /p p\n",
          "imap * tcp root /i [i]; pop3 localhost tcp root /p [p]");
    check("inetutils", "10.0.0.1,10.0.0.2:imap stream tcp nowait root /i i\n",
          "imap 10.0.0.1,10.0.0.2 tcp root /i [i]");
    check("freebsd", "127.0.0.1:imap stream tcp nowait root /i i\n",
          "127.0.0.1:imap * tcp root /i [i]");
    check("freebsd", "127.0.0.1:\n", "!1:1 unknown-line");
    check("openbsd", "127.0.0.1:\n#imap stream tcp nowait root /i i\n",
          "off imap 127.0.0.1 tcp root /i [i]");
}

static void test_quotes(void **state)
{
    (void)state;
    check("inetutils", "\"imap\" stream tcp nowait root '/opt/my imapd' \"-x y\"\n",
          "imap * tcp root /opt/my imapd [-x y]");
    check("openbsd", "\"imap\" stream tcp nowait root /i i\n", "\"imap\" * tcp root /i [i]");
    check("netbsd", "im\"ap\" stream tcp nowait root /i 'a \"b'c\n", "imap * tcp root /i [a \"bc]");
    check("freebsd", "'imap' stream tcp nowait root /i \"a b\"\n", "imap * tcp root /i [a b]");
}

/* A commented-out entry is one by its shape, whoever wrote the '#'; prose is not. */
static void test_disabled(void **state)
{
    static const char *const marks[] = {"#",   "# ",   "##", "#\t", "#<off># ", "#<efingerd># ",
                                        "## ", "#####"};
    static const char *const prose[] = {
        "# <service_name> <sock_type> <proto> <flags> <user> <server_path> <args>\n",
        "#:MAIL: mail, news and uucp services\n",
        "# stream tcp nowait root\n",
        "# the telnet stream tcp thing waits for root /sbin/telnetd\n",
        "# telnet stream of words that say nothing at all\n",
        "# name stream tcp sometimes root /path name\n",
        "#telnet stream tcp nowait\n",
        "#telnet stream tcp nowait root\n",
        "#\n",
        "#<off>#\n",
        "#<service> stream tcp nowait root /path name\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        char *text = mem_printf("%simap2 stream tcp nowait root /i i\n", marks[i]);

        check("openbsd", text, "off imap2 * tcp root /i [i]");
        check("busybox", text, "off imap2 * tcp root /i [i]");
        free(text);
    }
    for (size_t i = 0; i < ARRAY_LEN(prose); i++)
        check("openbsd", prose[i], "");
    check("openbsd", "#time stream tcp nowait internal\n", "off time * tcp - - internal");
    check("busybox", "  # imap2 stream tcp nowait root /i i\n", "off imap2 * tcp root /i [i]");
}

/* ... also over several lines, when the first alone is not whole. */
static void test_disabled_blocks(void **state)
{
    (void)state;
    check("openbsd", "#imap2 stream tcp nowait root\n#\t/i i\n", "off imap2 * tcp root /i [i]");
    check("openbsd", "#imap2 stream\n# tcp nowait\n#\troot /i i\n", "off imap2 * tcp root /i [i]");
    check("openbsd", "#imap2\n#\tstream tcp nowait root /i i\n", "off imap2 * tcp root /i [i]");
    check("openbsd", "#imap2 stream tcp nowait root\n# prose that goes on\n", "");
    check("openbsd", "#imap2 stream tcp nowait root\n#pop3 stream tcp nowait root /p p\n",
          "off pop3 * tcp root /p [p]");
    check("openbsd", "#imap2 stream tcp nowait root\n#\tpop3 stream tcp nowait root /p p\n",
          "off pop3 * tcp root /p [p]");
    check("inetutils", "#imap2 stream tcp nowait root\n#\t/i i\n", "");
    check("netbsd", "#imap on\n#\tprotocol = tcp, user = root,\n#exec = /i;\n# prose\n",
          "off imap * tcp root /i");
    check("netbsd", "#this on\n#\tand on it goes; for ever\n", "");
}

static void test_keyed(void **state)
{
    (void)state;
    check("netbsd",
          "imap on protocol = tcp, wait = yes, user = root, exec = /i, args = i -x 'y z';\n",
          "imap * tcp root /i [i] [-x] [y z] wait");
    check("netbsd", "echo on protocol = udp, user = root;\n", "echo * udp root - internal");
    check("netbsd", "imap on bind = ::1, protocol = tcp6, user = root, exec = \"/a\\\\b\";\n",
          "imap ::1 tcp6 root /a\\b");
    check("netbsd", "imap off protocol = tcp, user = root, exec = /i;\n", "off imap * tcp root /i");
    check("netbsd", "1.2.3.4:\nimap on protocol = rpc/tcp, user = root, exec = /i;\n",
          "imap 1.2.3.4 rpc/tcp root /i rpc=imap");
    check("netbsd", "imap on protocol = tcp\nftp stream tcp nowait root /f f\n",
          "!1:1 unknown-line");
    check("netbsd", "imap on protocol tcp;\nftp stream tcp nowait root /f f\n",
          "ftp * tcp root /f [f]; !1:1 unknown-line");
    check("openbsd", "imap on protocol = tcp, user = root, exec = /i;\n", "!1:1 unknown-line");
}

static void test_include(void **state)
{
    struct inetd_case c, d;
    struct source more;

    (void)state;
    case_text(&c, "netbsd", "1.2.3.4:\n.include \"inetd.d/*.conf\"\n*:\n.include /usr/pkg/x\n");
    assert_int_equal(c.parse.more.n, 2);
    assert_string_equal(c.parse.more.v[0], "etc/inetd.d/*.conf");
    assert_string_equal(c.parse.more.v[1], "usr/pkg/x");
    case_text(&d, "netbsd", "ftp stream tcp nowait root /f f\n");
    more = d.source;
    more.path = mem_strdup("etc/inetd.d/a.conf");
    c.parse.starter->parse(&c.parse, &more);
    assert_string_equal(c.parse.entries.v[0]->address, "1.2.3.4");
    free(more.path);
    case_free(&c);
    case_free(&d);
    check("openbsd", ".include x\n", "!1:1 unknown-line");
}

static void test_problems(void **state)
{
    struct inetd_case c;
    struct diag *d;

    (void)state;
    case_text(&c, "openbsd", "ftp stream tcp nowait root /f f\n  garb\x01ge\there\r\n");
    assert_int_equal(c.parse.entries.n, 1);
    assert_int_equal(c.parse.problems.n, 0);
    case_free(&c);
    case_text(&c, "inetutils", "ftp stream tcp nowait root /f f\n  garbage here\r\nx\n");
    assert_int_equal(c.parse.problems.n, 2);
    d = &c.parse.problems.v[0];
    assert_string_equal(d->code, "unknown-line");
    assert_string_equal(d->path, "etc/inetd.conf");
    assert_int_equal(d->line, 2);
    assert_int_equal(d->column, 3);
    assert_string_equal(d->text, "  garbage here\r");
    assert_string_equal(d->message, "'here' is not a socket type, so this is no entry");
    assert_string_equal(d->hint, "batten explain etc/inetd.conf:2");
    assert_int_equal(c.parse.problems.v[1].line, 3);
    assert_string_equal(c.parse.problems.v[1].message, "'x' alone is no entry");
    case_free(&c);
}

static void test_places(void **state)
{
    struct inetd_case c;
    struct entry *e;

    (void)state;
    case_text(&c, "openbsd",
              "# x\n\n1.2.3.4: ftp stream tcp\n\tnowait root /f f\n#<off># imap stream tcp nowait "
              "root /i i");
    e = c.parse.entries.v[0];
    assert_int_equal(e->start, 5);
    assert_int_equal(e->end, 47);
    assert_int_equal(e->line, 3);
    assert_int_equal(e->last_line, 4);
    assert_int_equal(e->column, 10);
    e = c.parse.entries.v[1];
    assert_int_equal(e->line, 5);
    assert_int_equal(e->column, 9);
    assert_int_equal(e->end, c.bytes.len);
    case_free(&c);
}

/* What the predictor needs to know of each line. */
static void test_lines(void **state)
{
    const struct inetd_state *lines;
    struct inetd_case c;

    (void)state;
    case_text(&c, "openbsd",
              "what\n1.2.3.4:\n#x\n\n ftp stream\n\ttcp nowait root /f f\r\n#ftp stream tcp nowait "
              "root /f f\n");
    lines = c.parse.detail;
    assert_int_equal(lines->nlines, 4);
    assert_int_equal(lines->lines[0]->kind, INETD_UNKNOWN);
    assert_string_equal(lines->lines[0]->fields[0], "what");
    assert_int_equal(lines->lines[1]->kind, INETD_DEFAULT);
    assert_string_equal(lines->lines[1]->address, "1.2.3.4");
    assert_null(lines->lines[1]->default_address);
    assert_int_equal(lines->lines[2]->kind, INETD_ENTRY);
    assert_true(lines->lines[2]->empty_before);
    assert_true(lines->lines[2]->cr);
    assert_int_equal(lines->lines[2]->first_fields, 0);
    assert_int_equal(lines->lines[2]->nfields, 7);
    assert_string_equal(lines->lines[2]->default_address, "1.2.3.4");
    assert_ptr_equal(inetd_line_of(c.parse.entries.v[0]), lines->lines[2]);
    assert_false(lines->lines[3]->active);
    case_free(&c);
    case_text(&c, "openbsd", "ftp stream\n\ttcp nowait root /f f\n");
    assert_int_equal(inetd_line_of(c.parse.entries.v[0])->first_fields, 2);
    case_free(&c);
}

static void test_limits(void **state)
{
    struct buf text = BUF_INIT;
    struct inetd_case c;

    (void)state;
    buf_adds(&text, "ftp stream tcp nowait root /f f\nimap stream tcp nowait root /i ");
    for (size_t i = 0; i < 70000; i++)
        buf_addc(&text, 'x');
    buf_adds(&text, "\npop3 stream tcp nowait root /p p\n");
    case_bytes(&c, "inetutils", text.data, text.len);
    assert_int_equal(c.parse.entries.n, 2);
    assert_int_equal(c.parse.problems.n, 1);
    assert_string_equal(c.parse.problems.v[0].code, "line-too-long");
    assert_int_equal(c.parse.problems.v[0].line, 2);
    case_free(&c);
    buf_release(&text);
}

/* 10,000 entries are read in well under a second: the lens is fed in pieces. */
static void test_many(void **state)
{
    struct buf text = BUF_INIT;
    struct inetd_case c;

    (void)state;
    for (unsigned i = 0; i < 10000; i++)
        buf_printf(&text, "%u stream tcp nowait root /usr/sbin/tcpd in.telnetd -%u\n# prose\n", i,
                   i);
    case_bytes(&c, "openbsd", text.data, text.len);
    assert_int_equal(c.parse.entries.n, 10000);
    assert_int_equal(c.parse.problems.n, 0);
    assert_int_equal(c.parse.entries.v[9999]->line, 19999);
    case_free(&c);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),   cmocka_unit_test(test_kin),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_disabled),  cmocka_unit_test(test_disabled_blocks),
        cmocka_unit_test(test_keyed),     cmocka_unit_test(test_include),
        cmocka_unit_test(test_problems),  cmocka_unit_test(test_places),
        cmocka_unit_test(test_lines),     cmocka_unit_test(test_limits),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, case_end);
}
