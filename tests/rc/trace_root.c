#include "trace_root.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "batten/mem.h"
#include "batten/text.h"

enum { SECONDS = 3, STATUS_LATE = 99, LOG_MAX = 4 * 1024 * 1024 };

static void put_file(const char *path, const char *text, size_t len, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    if (fd < 0)
        return;
    if (write(fd, text, len) != (ssize_t)len)
        _exit(120);
    close(fd);
}

/* The directories above PATH. What is a file already stays one. */
static void make_parents(const char *path)
{
    char *copy = mem_strdup(path);

    for (char *p = copy + 1; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        mkdir(copy, 0755);
        *p = '/';
    }
    free(copy);
}

static void put_stub(const char *path, const char *text)
{
    make_parents(path);
    put_file(path, text, strlen(text), 0755);
}

/* ---- words ---- */

static bool is_path_byte(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("/._+-@%", c) != NULL);
}

static void stub_token(const char *token, size_t len, bool directories)
{
    char *word, *path;

    while (len > 1 && (token[len - 1] == '.' || token[len - 1] == '/'))
        len--;
    if (len == 0 || len > 200)
        return;
    word = mem_strndup(token, len);
    path = word[0] == '/' ? mem_strdup(word) : mem_printf("/bin/%s", word);
    if (strstr(path, "..") == NULL && strncmp(path, "/.x", 3) != 0 &&
        directories == (strchr(path + 1, '/') != NULL && word[0] == '/'))
        put_stub(path, "#!/.x/stub\n");
    free(path);
    free(word);
}

static bool is_name_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* For NAME=VALUE at AT, VALUE an absolute path: VALUE/REST for every $NAME/REST and ${NAME}/REST.
 */
static void stub_composed(const char *text, const char *name, size_t name_len, const char *value)
{
    size_t value_len = 0;

    while (is_path_byte(value[value_len]))
        value_len++;
    for (const char *p = text; (p = strchr(p, '$')) != NULL;) {
        bool braces = *++p == '{';
        const char *rest = p + braces + name_len + braces;
        size_t len = 1;
        char *path;

        if (strlen(p) < name_len + 3 || strncmp(p + braces, name, name_len) != 0 || *rest != '/')
            continue;
        while (is_path_byte(rest[len]))
            len++;
        path = mem_printf("%.*s%.*s", (int)value_len, value, (int)len, rest);
        stub_token(path, strlen(path), true);
        free(path);
    }
}

static void stub_assignments(const char *text)
{
    for (const char *p = text; (p = strchr(p, '=')) != NULL; p++) {
        const char *name = p, *value = p + 1;

        while (name > text && is_name_byte(name[-1]))
            name--;
        if (*value == '"' || *value == '\'')
            value++;
        if (name < p && *value == '/')
            stub_composed(text, name, (size_t)(p - name), value);
    }
}

/* Deep paths first, so that what holds others becomes a directory. */
static void stub_words(const struct buf *text)
{
    const char *s = buf_str(text);

    stub_assignments(s);
    for (int directories = 1; directories >= 0; directories--) {
        for (size_t i = 0; i < text->len;) {
            size_t len = 0;

            while (i + len < text->len && is_path_byte(s[i + len]))
                len++;
            if (len > 0)
                stub_token(s + i, len, directories == 1);
            i += len + 1;
        }
    }
}

/* ---- the root ---- */

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    _exit(121);
}

static void make_root(const char *base)
{
    static const char *const links[][2] = {
        {"bin",       "/sbin"          },
        {"../bin",    "/usr/bin"       },
        {"../bin",    "/usr/sbin"      },
        {"../bin",    "/usr/ucb"       },
        {"../../bin", "/usr/local/bin" },
        {"../../bin", "/usr/local/sbin"},
    };
    char *options;

    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private");
    must(mount("tmpfs", "/mnt", "tmpfs", 0, "size=64m") == 0, "tmpfs");
    must(mkdir("/mnt/u", 0755) == 0 && mkdir("/mnt/w", 0755) == 0 && mkdir("/mnt/r", 0755) == 0,
         "mkdir");
    options = mem_printf("lowerdir=%s,upperdir=/mnt/u,workdir=/mnt/w", base);
    must(mount("overlay", "/mnt/r", "overlay", 0, options) == 0, "overlay");
    free(options);
    must(chroot("/mnt/r") == 0 && chdir("/") == 0, "chroot");
    mkdir("/bin", 0755);
    mkdir("/dev", 0755);
    mkdir("/etc", 0755);
    mkdir("/usr", 0755);
    mkdir("/usr/local", 0755);
    for (size_t i = 0; i < ARRAY_LEN(links); i++)
        must(symlink(links[i][0], links[i][1]) == 0, "symlink");
    if (mknod("/dev/null", S_IFCHR | 0666, makedev(1, 3)) != 0)
        put_file("/dev/null", "", 0, 0666);
}

/* The variables of TEXT that it neither assigns nor has a default for, NAME=YES a line. */
static void add_settings(const char *text, struct buf *env)
{
    for (const char *p = text; (p = strchr(p, '$')) != NULL;) {
        size_t len = 0;
        char *assigned, *braced;

        p += p[1] == '{' ? 2 : 1;
        while (is_name_byte(p[len]))
            len++;
        if (len < 2 || isdigit((unsigned char)p[0]))
            continue;
        assigned = mem_printf("%.*s=", (int)len, p);
        braced = mem_printf("{%.*s:", (int)len, p);
        if (strstr(text, assigned) == NULL && strstr(text, braced) == NULL &&
            strstr(buf_str(env), assigned) == NULL &&
            strstr(" BASH= UID= EUID= PPID= PATH= IFS= PWD= ", assigned) == NULL)
            buf_printf(env, "%sYES\n", assigned);
        free(assigned);
        free(braced);
    }
}

static void run_shell(void)
{
    char name[] = "bash", script[] = "/.x/script", verb[] = "start";
    char *argv[] = {name, script, verb, NULL};
    char path[] = "PATH=/bin", env[] = "BASH_ENV=/.x/env", home[] = "HOME=/";
    char *environment[] = {path, env, home, NULL};
    const struct rlimit cpu = {SECONDS, SECONDS}, size = {LOG_MAX, LOG_MAX};
    const struct rlimit processes = {500, 500};
    int null = open("/dev/null", O_RDWR);

    must(null >= 0 && dup2(null, 0) >= 0 && dup2(null, 1) >= 0 && dup2(null, 2) >= 0, "null");
    must(setrlimit(RLIMIT_CPU, &cpu) == 0 && setrlimit(RLIMIT_FSIZE, &size) == 0 &&
             setrlimit(RLIMIT_NPROC, &processes) == 0,
         "limits");
    execve("/.x/bash", argv, environment);
    _exit(122);
}

/* Process 1 does not die of a signal that it has no handler for. */
static void be_late(int sig)
{
    (void)sig;
    _exit(STATUS_LATE);
}

/* Process 1 of the namespace: waits for the script and for all that it left in the background. */
static void be_init(void)
{
    pid_t shell = fork();

    if (shell == 0)
        run_shell();
    signal(SIGALRM, be_late);
    alarm(SECONDS);
    while (wait(NULL) > 0 || errno == EINTR)
        continue;
    _exit(0);
}

static void be_run(const char *base, const struct buf *script, const struct buf *also,
                   enum trace_world world, int out)
{
    bool real = world == TRACE_REAL || world == TRACE_SET;
    struct buf env = BUF_INIT;
    char chunk[16384];
    int status, fd;
    ssize_t n;
    pid_t init;

    must(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC) == 0,
         "unshare");
    make_root(base);
    buf_adds(&env, real ? "enable -n echo printf\n" : "enable -n echo printf [ test\n");
    if (!real) {
        put_stub("/bin/[", world == TRACE_NO ? "#!/.x/stub 1\n" : "#!/.x/stub 0\n");
        put_stub("/bin/test", world == TRACE_NO ? "#!/.x/stub 1\n" : "#!/.x/stub 0\n");
    }
    if (world == TRACE_SET || world == TRACE_SET_YES)
        add_settings(buf_str(also), &env);
    put_stub("/bin/echo", "#!/.x/stub\n");
    put_stub("/bin/printf", "#!/.x/stub\n");
    stub_words(also);
    put_file("/.x/env", buf_str(&env), env.len, 0644);
    buf_release(&env);
    put_file("/.x/script", buf_str(script), script->len, 0644);
    init = fork();
    if (init == 0)
        be_init();
    must(init > 0 && waitpid(init, &status, 0) == init, "wait");
    /* with process 1 the kernel ended all others */
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        _exit(STATUS_LATE);
    fd = open("/.x/log", O_RDONLY);
    while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0)
        must(write(out, chunk, (size_t)n) == n, "log");
    _exit(0);
}

/* ---- the log ---- */

static void take_lines(struct buf *text, struct strlist *log)
{
    char *line = text->data, *newline;

    for (; line != NULL && (newline = strchr(line, '\n')) != NULL; line = newline + 1) {
        *newline = '\0';
        strlist_add(log, line);
    }
    strlist_sort(log);
}

bool trace_run(const char *base, const struct buf *script, const struct buf *also,
               enum trace_world world, struct strlist *log)
{
    struct buf text = BUF_INIT;
    char chunk[16384];
    int fds[2], status = 0;
    ssize_t n;
    pid_t child;

    if (pipe(fds) != 0)
        return false;
    fflush(NULL);
    child = fork();
    if (child == 0) {
        close(fds[0]);
        be_run(base, script, also, world, fds[1]);
    }
    close(fds[1]);
    while ((n = read(fds[0], chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR))
        buf_add(&text, chunk, n > 0 ? (size_t)n : 0);
    close(fds[0]);
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        buf_release(&text);
        return false;
    }
    take_lines(&text, log);
    buf_release(&text);
    if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != STATUS_LATE) {
        fprintf(stderr, "the root could not be made (%d)\n", WEXITSTATUS(status));
        exit(2);
    }
    return WEXITSTATUS(status) == 0;
}
