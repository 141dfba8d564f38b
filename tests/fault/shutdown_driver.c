/*
 * shutdown_driver.c - shut down the ext4 file system that DIR is on, as a power cut does: what its
 * log has not flushed is lost
 *
 *     shutdown_driver DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define EXT4_SHUTDOWN _IOR('X', 125, uint32_t)

enum { WITHOUT_LOG_FLUSH = 2 };

int main(int argc, char **argv)
{
    uint32_t how = WITHOUT_LOG_FLUSH;
    int fd = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd < 0 || ioctl(fd, EXT4_SHUTDOWN, &how) != 0) {
        fprintf(stderr, "cannot shut down '%s': %s\n", argc == 2 ? argv[1] : "", strerror(errno));
        return 1;
    }
    close(fd);
    return 0;
}
