/* Processes this test starts itself: what is seen of them, and what may be done to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/host/process_int.h"
#include "batten/diag.h"
#include "batten/process.h"
#include "batten/root.h"

#include "tree.h"

static char dir[64];

static void skip_because(const char *reason)
{
    printf("# skip: %s\n", reason);
    skip();
}

static void on_signal(int sig)
{
    (void)sig;
}

enum child_kind { CHILD_PLAIN, CHILD_CATCHES, CHILD_IGNORES_TERM, CHILD_SPINS };

static pid_t start(enum child_kind kind)
{
    int ready[2];
    char byte;
    pid_t child;

    assert_int_equal(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        if (kind == CHILD_CATCHES)
            (void)signal(SIGHUP, on_signal);
        if (kind == CHILD_IGNORES_TERM)
            (void)signal(SIGTERM, SIG_IGN);
        (void)!write(ready[1], "x", 1);
        while (kind == CHILD_SPINS)
            ;
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void finish(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void sees_itself(void **state)
{
    struct diag d = DIAG_INIT;
    struct process p;

    (void)state;
    not_under_valgrind();
    assert_int_equal(process_open(&p, getpid(), &d), 0);
    assert_int_equal(p.ppid, getppid());
    assert_int_equal(p.uid, geteuid());
    assert_string_equal(p.comm, "test_process");
    assert_non_null(strstr(p.exe, "test_process"));
    assert_true(p.ours);
    assert_false(p.hidden);
    assert_false(p.catches_hup);
    assert_true(process_alive(&p));
    process_release(&p);
}

static void later_is_not_before(void **state)
{
    unsigned long long since = process_ticks();
    pid_t child = start(CHILD_PLAIN);
    struct process p;

    (void)state;
    not_under_valgrind();
    assert_int_equal(process_open(&p, child, NULL), 0);
    assert_true(p.started >= since && p.started <= process_ticks());
    process_release(&p);
    process_sleep(30);
    assert_int_equal(process_open(&p, child, NULL), 0);
    assert_true(p.started < process_ticks());
    process_release(&p);
    finish(child);
}

static void nobody_there(void **state)
{
    struct diag d = DIAG_INIT;
    pid_t child = start(CHILD_PLAIN);
    struct process p;

    (void)state;
    not_under_valgrind();
    finish(child);
    assert_int_equal(process_open(&p, child, &d), -1);
    assert_string_equal(d.code, "no-process");
    diag_release(&d);
}

static void hup_only_if_caught(void **state)
{
    struct diag d = DIAG_INIT;
    pid_t plain = start(CHILD_PLAIN), catches = start(CHILD_CATCHES);
    struct process p;

    (void)state;
    not_under_valgrind();
    assert_int_equal(process_open(&p, plain, &d), 0);
    assert_int_equal(process_signal(&p, SIGHUP, &d), -1);
    assert_string_equal(d.code, "hup-not-caught");
    assert_true(process_alive(&p));
    process_release(&p);
    diag_release(&d);

    assert_int_equal(process_open(&p, catches, &d), 0);
    assert_true(p.catches_hup);
    assert_int_equal(process_signal(&p, SIGHUP, &d), 0);
    assert_false(process_wait_end(&p, 50));
    process_release(&p);
    finish(plain);
    finish(catches);
}

static void stops_and_waits(void **state)
{
    struct diag d = DIAG_INIT;
    pid_t plain = start(CHILD_PLAIN), deaf = start(CHILD_IGNORES_TERM);
    struct process p;

    (void)state;
    not_under_valgrind();
    assert_int_equal(process_open(&p, plain, &d), 0);
    assert_int_equal(process_stop(&p, 5000, &d), 0);
    assert_false(process_alive(&p)); /* a zombie by now, and no more than that */
    process_release(&p);
    assert_int_equal(process_open(&p, deaf, &d), 0);
    assert_int_equal(process_stop(&p, 50, &d), 1);
    assert_true(process_alive(&p));
    process_release(&p);
    finish(plain);
    finish(deaf);
}

static void a_process_that_is_not_ours_is_left_alone(void **state)
{
    struct diag d = DIAG_INIT;
    pid_t child = start(CHILD_PLAIN);
    struct process p;

    (void)state;
    not_under_valgrind();
    assert_int_equal(process_open(&p, child, &d), 0);
    p.ours = false;
    assert_int_equal(process_stop(&p, 50, &d), -1);
    assert_string_equal(d.code, "not-ours");
    assert_true(process_alive(&p));
    process_release(&p);
    diag_release(&d);
    finish(child);
}

static void another_root_directory_is_another_world(void **state)
{
    int ready[2];
    struct process p;
    pid_t child;
    char byte;

    (void)state;
    not_under_valgrind();
    if (geteuid() != 0)
        skip_because("needs root");
    assert_int_equal(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        if (chroot(dir) != 0)
            _exit(1);
        (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(process_open(&p, child, NULL), 0);
    assert_false(p.ours);
    process_release(&p);
    finish(child);
    close(ready[0]);
    close(ready[1]);
}

static void another_network_is_another_world(void **state)
{
    int ready[2];
    struct process p;
    pid_t child;
    char byte;

    (void)state;
    not_under_valgrind();
    if (geteuid() != 0)
        skip_because("needs root");
    assert_int_equal(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWNET) != 0)
            _exit(1);
        (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) {
        finish(child);
        skip_because("no network namespaces here");
    }
    assert_int_equal(process_open(&p, child, NULL), 0);
    assert_false(p.ours);
    process_release(&p);
    finish(child);
    close(ready[0]);
}

static void spinning_shows(void **state)
{
    pid_t child = start(CHILD_SPINS);
    unsigned long long before;
    struct process p;

    (void)state;
    not_under_valgrind();
    assert_int_equal(process_open(&p, child, NULL), 0);
    before = p.cpu_ticks;
    process_sleep(150);
    assert_int_equal(process_refresh(&p), 0);
    assert_true(p.running_state);
    assert_true(p.cpu_ticks > before);
    finish(child);
    assert_int_equal(process_refresh(&p), -1);
    process_release(&p);
}

/* --- pid files ---------------------------------------------------------------------------------*/

static char *put(const char *name, const char *bytes, size_t len)
{
    static char path[128];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    (void)unlink(path);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
    return path;
}

static void check_refused(const char *bytes, size_t len)
{
    struct diag d = DIAG_INIT;
    pid_t pid = 77;

    assert_int_equal(process_read_pidfile(put("pid", bytes, len), &pid, &d), -1);
    assert_string_equal(d.code, "pid-file-odd");
    assert_int_equal(pid, 77);
    diag_release(&d);
}

#define REFUSED(literal) check_refused(literal, sizeof(literal) - 1)

static void hostile_pid_files(void **state)
{
    char *big = calloc(1, 1 << 20);

    (void)state;
    REFUSED("");
    REFUSED("\n");
    REFUSED("0\n");
    REFUSED("1\n");
    REFUSED("-7\n");
    REFUSED("+7\n");
    REFUSED("7 8\n");
    REFUSED("7x\n");
    REFUSED("0x10\n");
    REFUSED("12\0 34");
    REFUSED("4194305\n");
    REFUSED("99999999999999999999999\n");
    REFUSED(" 12\n");
    memset(big, '1', 1 << 20);
    check_refused(big, 1 << 20);
    free(big);
}

static void good_pid_files(void **state)
{
    pid_t pid = 0;

    (void)state;
    assert_int_equal(process_read_pidfile(put("pid", "411\n", 4), &pid, NULL), 1);
    assert_int_equal(pid, 411);
    assert_int_equal(process_read_pidfile(put("pid", "4194304", 7), &pid, NULL), 1);
    assert_int_equal(pid, 4194304);
    assert_int_equal(process_read_pidfile(put("pid", "12 \r\n", 5), &pid, NULL), 1);
    assert_int_equal(pid, 12);
    unlink(put("pid", "", 0));
    assert_int_equal(process_read_pidfile("/nonexistent/pid", &pid, NULL), 0);
}

static void what_is_no_file_is_not_read(void **state)
{
    struct diag d = DIAG_INIT;
    char path[128];
    pid_t pid;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/link", dir);
    assert_int_equal(symlink("pid", path), 0);
    assert_int_equal(process_read_pidfile(path, &pid, &d), -1);
    assert_non_null(strstr(d.message, "symlink"));
    diag_release(&d);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(process_read_pidfile(path, &pid, &d), -1); /* and does not hang */
    diag_release(&d);
    unlink(path);
    assert_int_equal(process_read_pidfile(dir, &pid, &d), -1);
    diag_release(&d);
}

/* --- programs and commands ---------------------------------------------------------------------*/

/* A copy of sleep under DIR/NAME, owned by root. */
static char *copy_sleep(const char *name, mode_t mode)
{
    char *path = malloc(128), command[256];
    pid_t child;

    (void)snprintf(path, 128, "%s/%s", dir, name);
    (void)snprintf(command, sizeof(command), "%s", path);
    child = fork();
    if (child == 0) {
        execl("/bin/cp", "cp", "/bin/sleep", command, (char *)NULL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static pid_t spawn(const char *path, const char *argv0)
{
    pid_t child = fork();

    if (child == 0) {
        execl(path, argv0, "60", (char *)NULL);
        _exit(1);
    }
    for (int i = 0; i < 200; i++) { /* until exec has happened */
        struct process p;
        bool there =
            process_open(&p, child, NULL) == 0 && p.exe != NULL && strcmp(p.exe, path) == 0;

        process_release(&p);
        if (there)
            break;
        process_sleep(5);
    }
    return child;
}

static size_t count_of(struct root *root, const char *program, pid_t *pid)
{
    struct listeners none = {0};
    struct process *list;
    size_t n;

    assert_int_equal(process_find_program(root, program, &none, &list, &n, NULL), 0);
    *pid = n > 0 ? list[0].pid : 0;
    process_list_free(list, n);
    return n;
}

static void a_program_is_its_executable(void **state)
{
    struct root *root;
    char *path, *open_to_all;
    pid_t child, impostor, writable, pid;

    (void)state;
    not_under_valgrind();
    if (geteuid() != 0)
        skip_because("needs root");
    assert_int_equal(root_open(&root, "/", false, NULL), 0);
    path = copy_sleep("namedx", 0755);
    open_to_all = copy_sleep("statdx", 0777);
    child = spawn(path, "something-else");
    impostor = spawn("/bin/sleep", "namedx");
    writable = spawn(open_to_all, "statdx");
    assert_int_equal(count_of(root, path, &pid), 1);
    assert_int_equal(pid, child);
    assert_int_equal(count_of(root, "namedx", &pid), 0);    /* in none of the usual directories */
    assert_int_equal(count_of(root, open_to_all, &pid), 0); /* anybody could have put it there */
    finish(child);
    finish(impostor);
    finish(writable);
    free(path);
    free(open_to_all);
    root_free(root);
}

static void an_ordinary_users_process_is_not_stopped(void **state)
{
    struct root *root;
    char *path;
    pid_t child, pid;

    (void)state;
    if (geteuid() != 0)
        skip_because("needs root");
    assert_int_equal(root_open(&root, "/", false, NULL), 0);
    path = copy_sleep("namedy", 0755);
    assert_int_equal(chmod(dir, 0755), 0);
    child = fork();
    if (child == 0) {
        if (setgid(1000) != 0 || setuid(1000) != 0)
            _exit(1);
        execl(path, "namedy", "60", (char *)NULL);
        _exit(1);
    }
    process_sleep(100);
    assert_int_equal(kill(child, 0), 0);
    assert_int_equal(count_of(root, path, &pid), 0);
    finish(child);
    free(path);
    root_free(root);
}

static int run(struct root *root, const char *path, bool daemon, long long ms, struct diag *d)
{
    const char *const argv[] = {path, "60", NULL};
    struct process_command c = {.path = path + 1, .argv = argv, .daemon = daemon, .ms = ms};

    return process_run(root, &c, d);
}

static void runs_only_what_is_roots(void **state)
{
    struct diag d = DIAG_INIT;
    struct root *root;
    char *path;

    (void)state;
    if (geteuid() != 0)
        skip_because("needs root");
    assert_int_equal(root_open(&root, "/", false, NULL), 0);
    assert_int_equal(run(root, "/bin/true", false, 5000, &d), 0);
    assert_int_equal(run(root, "/bin/false", false, 5000, &d), -1);
    assert_non_null(strstr(d.message, "status 1"));
    diag_release(&d);
    assert_int_equal(run(root, "/nonexistent/x", false, 5000, &d), -1);
    diag_release(&d);
    path = copy_sleep("daemonx", 0777);
    assert_int_equal(run(root, path, true, 50, &d), -1);
    assert_non_null(strstr(d.message, "nobody else"));
    diag_release(&d);
    chmod(path, 0755);
    assert_int_equal(run(root, path, false, 50, &d), -1); /* has not ended */
    diag_release(&d);
    free(path);
    root_free(root);
}

/* The kernel keeps no status of a child then: a stop that failed must not count as done. */
static void a_status_that_is_not_kept_is_no_success(void **state)
{
    struct diag d = DIAG_INIT;
    struct root *root;
    int result;

    (void)state;
    assert_int_equal(root_open(&root, "/", false, NULL), 0);
    (void)signal(SIGCHLD, SIG_IGN);
    result = run(root, "/bin/false", false, 5000, &d);
    (void)signal(SIGCHLD, SIG_DFL);
    assert_int_equal(result, -1);
    assert_string_equal(d.code, "start-failed");
    diag_release(&d);
    root_free(root);
}

static void what_a_command_says(void **state)
{
    const char *const argv[] = {"/bin/echo", "MainPID=17", NULL};
    struct buf said = BUF_INIT;
    struct process_command c = {.path = "bin/echo", .argv = argv, .ms = 5000, .output = &said};
    struct root *root;

    (void)state;
    assert_int_equal(root_open(&root, "/", false, NULL), 0);
    assert_int_equal(process_run(root, &c, NULL), 0);
    assert_string_equal(buf_str(&said), "MainPID=17\n");
    buf_release(&said);
    root_free(root);
}

static void check_unit(const char *text, const char *want)
{
    char *copy = strdup(text), *unit = process_unit_in(copy);

    if (want == NULL)
        assert_null(unit);
    else
        assert_string_equal(unit, want);
    free(unit);
    free(copy);
}

static void a_service_is_named_by_its_cgroup(void **state)
{
    (void)state;
    check_unit("0::/system.slice/named.service\n", "named.service");
    check_unit("12:pids:/x\n1:name=systemd:/system.slice/inetd.service\n0::/\n", "inetd.service");
    check_unit("0::/system.slice/system-x.slice/x@1.service\n", "x@1.service");
    check_unit("0::/user.slice/user-0.slice/session-1.scope\n", NULL);
    check_unit("0::/user.slice/user-0.slice/user@0.service/app.slice/x.service\n", NULL);
    check_unit("5:cpu:/system.slice/named.service\n", NULL);
    check_unit("0::/system.slice/.service\n", NULL);
    check_unit("0::/system.slice/--now.service\n", NULL);
    /* What is below a service is its own affair. */
    check_unit("0::/system.slice/a.service/b.service\n", "a.service");
    check_unit("0::/system.slice/docker-1.scope/b.service\n", NULL);
    check_unit("0::/system.slice/x.slicer/b.service\n", NULL);
    /* A user may make cgroups of any name below his own. */
    check_unit("0::/user.slice/user-1000.slice/x:name=systemd:/system.slice/ssh.service\n", NULL);
    check_unit("1:name=systemd:/user.slice/0::/system.slice/ssh.service\n", NULL);
    check_unit("3:name=systemdx:/system.slice/ssh.service\n", NULL);
    check_unit("0::\n:\n0:\nx\n", NULL);
    check_unit("0::/\n", NULL);
    check_unit("", NULL);
}

/* A daemon started by hand sits in the service of its starter. */
static void a_service_is_the_processs_own_by_name(void **state)
{
    (void)state;
    assert_true(process_unit_named("named.service", "/usr/sbin/named"));
    assert_true(process_unit_named("rpc-statd.service", "rpc-statd"));
    assert_false(process_unit_named("rc-local.service", "/sbin/rpc.statd"));
    assert_false(process_unit_named("ssh.service", "/usr/sbin/sshd"));
    assert_false(process_unit_named("named-x.service", "/usr/sbin/named"));
    assert_false(process_unit_named("named.service", "/usr/sbin/name"));
    assert_false(process_unit_named("named.service", NULL));
    assert_false(process_unit_named(".service", ""));
}

static void the_main_process_is_read(void **state)
{
    (void)state;
    assert_int_equal(process_main_pid("MainPID=17\n"), 17);
    assert_int_equal(process_main_pid("MainPID=0\n"), 0);
    assert_int_equal(process_main_pid("MainPID=1\n"), 0);
    assert_int_equal(process_main_pid("MainPID=17"), 0); /* cut */
    assert_int_equal(process_main_pid("MainPID=-17\n"), 0);
    assert_int_equal(process_main_pid("MainPID=4294967313\n"), 0);
    assert_int_equal(process_main_pid("ControlPID=17\n"), 0);
    assert_int_equal(process_main_pid(""), 0);
}

static void check_triggers(const char *said, const char *first, const char *second)
{
    struct strlist all = {0};

    process_unit_triggers(said, &all);
    assert_int_equal(all.n, (first != NULL) + (second != NULL));
    if (first != NULL)
        assert_string_equal(all.v[0], first);
    if (second != NULL)
        assert_string_equal(all.v[1], second);
    strlist_release(&all);
}

static void the_sockets_of_a_service_are_read(void **state)
{
    (void)state;
    check_triggers("TriggeredBy=rpcbind.socket\n", "rpcbind.socket", NULL);
    check_triggers("TriggeredBy=a.timer a.socket b.path b-c.socket\n", "a.socket", "b-c.socket");
    check_triggers("TriggeredBy=\n", NULL, NULL);
    check_triggers("TriggeredBy=--now.socket .socket\n", NULL, NULL);
    check_triggers("TriggeredBy=a.socket b.sock", "a.socket", NULL);
    check_triggers("TriggeredBy=a.socket", NULL, NULL); /* cut: it may be a.socket-x.mount */
    check_triggers("Triggers=a.socket\n", NULL, NULL);
    check_triggers("", NULL, NULL);
}

static void kill_children(void)
{
    char line[64];
    FILE *f = fopen("/proc/thread-self/children", "r");
    long pid;

    while (f != NULL && fscanf(f, "%63s", line) == 1) {
        pid = strtol(line, NULL, 10);
        finish((pid_t)pid);
    }
    if (f != NULL)
        fclose(f);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/batten-process-XXXXXX");
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"pid", "link", "namedx", "namedy", "statdx", "daemonx"};

    (void)state;
    kill_children();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sees_itself),
        cmocka_unit_test(later_is_not_before),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(hup_only_if_caught),
        cmocka_unit_test(stops_and_waits),
        cmocka_unit_test(a_process_that_is_not_ours_is_left_alone),
        cmocka_unit_test(another_root_directory_is_another_world),
        cmocka_unit_test(another_network_is_another_world),
        cmocka_unit_test(spinning_shows),
        cmocka_unit_test(hostile_pid_files),
        cmocka_unit_test(good_pid_files),
        cmocka_unit_test(what_is_no_file_is_not_read),
        cmocka_unit_test(a_program_is_its_executable),
        cmocka_unit_test(an_ordinary_users_process_is_not_stopped),
        cmocka_unit_test(runs_only_what_is_roots),
        cmocka_unit_test(what_a_command_says),
        cmocka_unit_test(a_status_that_is_not_kept_is_no_success),
        cmocka_unit_test(a_service_is_named_by_its_cgroup),
        cmocka_unit_test(a_service_is_the_processs_own_by_name),
        cmocka_unit_test(the_main_process_is_read),
        cmocka_unit_test(the_sockets_of_a_service_are_read),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
