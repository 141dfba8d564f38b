#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "batten/dialect.h"
#include "batten/mem.h"

static const char *speaks(const char *text)
{
    const struct dialect *d = dialect_from_text(text, strlen(text));

    return d != NULL ? dialect_name(d) : "nothing";
}

static void test_names(void **state)
{
    size_t n;
    const char *const *names = dialect_names(&n);

    (void)state;
    assert_int_equal(n, 6);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(dialect_name(dialect_find(names[i])), names[i]);
    assert_null(dialect_find("OpenBSD"));
    assert_null(dialect_find(""));
    assert_string_equal(dialect_name(dialect_default()), "openbsd");
}

static void test_signs(void **state)
{
    size_t n;
    const struct dialect_sign *signs = dialect_signs(&n);

    (void)state;
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        assert_non_null(dialect_find(signs[i].dialect));
        assert_int_not_equal(signs[i].path[0], '/');
    }
    assert_string_equal(signs[0].path, "usr/sbin/inetutils-inetd");
    assert_string_equal(signs[n - 1].path, "usr/sbin/inetd");
}

static void test_texts_that_tell(void **state)
{
    static const struct {
        const char *text, *dialect;
    } cases[] = {
        {"http on\n\tprotocol = tcp;\n",                                        "netbsd"   },
        {"http on protocol=tcp;\n",                                             "netbsd"   },
        {".include \"inetd.d/*\"\n",                                            "netbsd"   },
        {"#\t$NetBSD: inetd.conf,v 1.1 $\n",                                    "netbsd"   },
        {"ftp stream tcp nowait:10 root /ftpd ftpd\n",                          "netbsd"   },
        {"# $FreeBSD: src/etc/inetd.conf $\n",                                  "freebsd"  },
        {"#ftp stream tcp nowait/3/10 root /ftpd ftpd -l\n",                    "freebsd"  },
        {"ftp stream tcp nowait root/daemon /ftpd ftpd\n",                      "freebsd"  },
        {"ttdb tli rpc/tcp wait root /ttdb ttdb\n",                             "classic"  },
        {"100232/10 tli rpc/udp wait root /sadmind sadmind\n",                  "classic"  },
        {"rusersd/2-3 dgram rpc/datagram_v wait root /rusersd rusersd\n",       "classic"  },
        {"rstatd dgram sunrpc_udp wait root /rstatd rstatd 100001 1-3\n",       "classic"  },
        {"instsrv stream tcp swait root /x y\n",                                "classic"  },
        {"tcpmux stream tcp nowait/lc root internal\n",                         "classic"  },
        {"sgi-dgl stream tcp nowait root/rcv ?/dgl dgl -M\n",                   "classic"  },
        {"telnet stream tcp nowait /usr/etc/telnetd telnetd\n",                 "classic"  },
        {"ftp stream tcp6only nowait root /ftpd ftpd\n",                        "inetutils"},
        {"#<off># telnet stream tcp nowait root /usr/sbin/tcpd /telnetd\n",     "openbsd"  },
        {"#:INTERNAL: Internal services\n",                                     "openbsd"  },
        {"# plain\nftp stream tcp nowait root /x\nx stream tcp swait root y\n", "classic"  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(speaks(cases[i].text), cases[i].dialect);
}

static void test_texts_that_do_not(void **state)
{
    static const char *const texts[] = {
        "",
        "\n\n# turned on by default = yes\n",
        "telnet stream tcp nowait root /usr/sbin/telnetd telnetd\n",
        "telnet stream tcp nowait.40 nobody.tty /usr/sbin/telnetd telnetd\r\n",
        "# a line on its own\n# see /etc/services: one on one\n",
        "a b c",
        "#",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_string_equal(speaks(texts[i]), "nothing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_signs),
        cmocka_unit_test(test_texts_that_tell),
        cmocka_unit_test(test_texts_that_do_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
