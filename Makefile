# batten: build, test, install. `make help` lists the targets.

VERSION := 0.1.0

BUILD ?= build
DESTDIR ?=
prefix ?= /usr/local
PREFIX ?= $(prefix)
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
DATADIR ?= $(PREFIX)/share/batten
# A program in another build directory is for tests: it uses the lenses of this tree.
LENSDIR ?= $(if $(filter build,$(BUILD)),$(DATADIR)/lenses,$(CURDIR)/lenses)

CC ?= cc
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wswitch-enum -Werror
HARDEN := -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# Asked once, and only when something is compiled, so that `make check` can install pkg-config first.
PKGS := augeas libgit2 jansson libmd
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)

ALL_CPPFLAGS = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DBATTEN_VERSION='"$(VERSION)"' \
	-DBATTEN_LENSDIR='"$(LENSDIR)"' -Iinclude -I$(BUILD)/gen -include batten/banned.h $(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(WARN) $(HARDEN) $(CFLAGS) $(PKG_CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)
LIBS = $(PKG_LIBS)

SRC := $(filter-out src/cli/main.c,$(wildcard src/*/*.c))
OBJ := $(SRC:src/%.c=$(BUILD)/obj/%.o)
MAIN := $(BUILD)/obj/cli/main.o
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
DRIVERS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/*/*_driver.c))
FUZZ := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
PROFILES := $(sort $(wildcard src/share/profiles/*))
PROGRAM := $(if $(wildcard src/cli/main.c),$(BUILD)/batten)

all: $(BUILD)/libbatten.a $(PROGRAM)

# One short line per step; `make V=1` shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),:,printf '  %-5s %s\n' '$(1)' '$(2)')

# --- building ------------------------------------------------------------------------------------

# Holds what everything was compiled with; changes, and rebuilds everything, when that changes.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CC) $(ALL_CPPFLAGS) $(CFLAGS) $(LDFLAGS))' | cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$(CC) $(ALL_CPPFLAGS) $(CFLAGS) $(LDFLAGS))' >$@

# The built-in profiles as rows { "name", "text" } of a C table.
$(BUILD)/gen/profiles.inc: $(PROFILES) Makefile
	@mkdir -p $(@D)
	@for f in $(PROFILES); do \
		printf '{"%s",\n' "$${f##*/}" && \
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/ "/' -e 's/$$/\\n"/' "$$f" && \
		printf '},\n' || exit; \
	done >$@.new && mv $@.new $@

need-libraries:
	@pkg-config --exists $(PKGS) || { \
		echo 'batten needs pkg-config and the libraries $(PKGS), run: make setup' >&2; exit 1; }

$(BUILD)/obj/%.o: src/%.c $(BUILD)/flags | need-libraries $(BUILD)/gen/profiles.inc
	@mkdir -p $(@D)
	@$(call say,cc,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libbatten.a: $(OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/batten: $(MAIN) $(BUILD)/libbatten.a
	@$(call say,link,$@)
	$(Q)$(CC) $(CFLAGS) $(ALL_LDFLAGS) -o $@ $(MAIN) $(BUILD)/libbatten.a $(LIBS)

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libbatten.a
	@mkdir -p $(@D)
	@$(call say,cc,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< \
		$(BUILD)/libbatten.a $(LIBS) -lcmocka

$(BUILD)/tests/%: tests/%.c $(BUILD)/libbatten.a
	@mkdir -p $(@D)
	@$(call say,cc,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libbatten.a $(LIBS)

# --- checking ------------------------------------------------------------------------------------

setup:
	@tests/setup.sh build check

unit: $(UNIT)
	@BATTEN_BUILD=$(BUILD) tests/run.sh unit

test-programs: all $(UNIT) $(DRIVERS)

check: setup
	@$(MAKE) --no-print-directory check-run

check-run: test-programs
	@BATTEN_BUILD=$(BUILD) tests/run.sh

check-long: setup
	@$(MAKE) --no-print-directory test-programs
	@BATTEN_BUILD=$(BUILD) BATTEN_LONG=1 tests/run.sh

check-asan: setup
	@SANITIZED=yes $(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS='$(SANITIZE)' check-run

check-valgrind: setup
	@tests/setup.sh valgrind
	@$(MAKE) --no-print-directory test-programs
	@BATTEN_BUILD=$(BUILD) BATTEN_VALGRIND=1 tests/run.sh unit

check-fault: setup
	@$(MAKE) --no-print-directory test-programs
	@BATTEN_BUILD=$(BUILD) BATTEN_LONG=1 tests/run.sh --show fault

corpus: setup
	@$(MAKE) --no-print-directory test-programs
	@BATTEN_BUILD=$(BUILD) tests/run.sh --show corpus

# The libraries under the fuzzers are compiled once more, with clang and coverage.
FUZZ_SECONDS ?= 60
FUZZ_CFLAGS := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz-build:
	@tests/setup.sh build fuzz
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzzing CC=clang CFLAGS='$(FUZZ_CFLAGS)' fuzz-programs

fuzz: fuzz-build
	@BATTEN_BUILD=$(BUILD)/fuzzing FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run.sh

fuzz-programs: $(FUZZ)
$(BUILD)/fuzz/%: tests/fuzz/%.c $(BUILD)/libbatten.a
	@mkdir -p $(@D)
	@$(call say,cc,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $< $(BUILD)/libbatten.a $(LIBS)

demo:
	@tests/setup.sh build demo
	@$(MAKE) --no-print-directory -s all
	@BATTEN_BUILD=$(BUILD) tests/demo.sh

lint:
	@tests/setup.sh build lint
	@$(MAKE) --no-print-directory -s all
	@BATTEN_BUILD=$(BUILD) tests/lint/run.sh

bench:
	@tests/setup.sh build bench
	@$(MAKE) --no-print-directory -s all $(DRIVERS)
	@BATTEN_BUILD=$(BUILD) tests/bench/run.sh

golden: setup
	@$(MAKE) --no-print-directory test-programs
	@BATTEN_BUILD=$(BUILD) tests/cli/golden.sh

# --- installing ----------------------------------------------------------------------------------

install: all
	install -d '$(DESTDIR)$(SBINDIR)' '$(DESTDIR)$(DATADIR)/lenses' '$(DESTDIR)$(DATADIR)/profiles' \
		'$(DESTDIR)$(DATADIR)/boot' '$(DESTDIR)$(MANDIR)/man5' '$(DESTDIR)$(MANDIR)/man8' \
		'$(DESTDIR)$(COMPDIR)' '$(DESTDIR)$(UNITDIR)'
	install -m 755 $(BUILD)/batten '$(DESTDIR)$(SBINDIR)/batten'
	install -m 644 lenses/*.aug '$(DESTDIR)$(DATADIR)/lenses'
	install -m 644 $(PROFILES) '$(DESTDIR)$(DATADIR)/profiles'
	for s in 5 8; do install -m 644 src/share/man/*.$$s '$(DESTDIR)$(MANDIR)'/man$$s || exit; done
	install -m 644 src/share/completion/batten '$(DESTDIR)$(COMPDIR)/batten'
	sed 's|@SBINDIR@|$(SBINDIR)|g' src/share/boot/batten-recover.service \
		>'$(DESTDIR)$(UNITDIR)/batten-recover.service'
	sed 's|@SBINDIR@|$(SBINDIR)|g' src/share/boot/rc.local >'$(DESTDIR)$(DATADIR)/boot/rc.local'
	chmod 644 '$(DESTDIR)$(UNITDIR)/batten-recover.service' '$(DESTDIR)$(DATADIR)/boot/rc.local'

uninstall:
	rm -f '$(DESTDIR)$(SBINDIR)/batten' '$(DESTDIR)$(COMPDIR)/batten' \
		'$(DESTDIR)$(UNITDIR)/batten-recover.service' \
		$(patsubst src/share/man/%.5,'$(DESTDIR)$(MANDIR)/man5/%.5',$(wildcard src/share/man/*.5)) \
		$(patsubst src/share/man/%.8,'$(DESTDIR)$(MANDIR)/man8/%.8',$(wildcard src/share/man/*.8))
	rm -rf '$(DESTDIR)$(DATADIR)'

clean:
	rm -rf $(BUILD)

help:
	@echo 'make              build build/batten; runs in place, needs neither root nor network'
	@echo 'make demo         install what is missing, build, show the main job on a sample host'
	@echo 'make check        install what is missing, build, run every test'
	@echo 'make unit         the unit tests alone'
	@echo 'make check-asan   every test under the address and undefined behaviour sanitizers'
	@echo 'make check-valgrind  the unit tests under valgrind'
	@echo 'make check-long   every test, the long ones too'
	@echo 'make check-fault  kill and fail every system call of a change'
	@echo 'make fuzz         each fuzzer for FUZZ_SECONDS (60)'
	@echo 'make corpus       measure against real files in ../shared/corpus'
	@echo 'make lint         formatting, static checks, man pages, the rules of the house'
	@echo 'make bench        speed and memory, as ratios within one run'
	@echo 'make golden       write the expected outputs anew and show what changed'
	@echo 'make install      DESTDIR, PREFIX (/usr/local); make uninstall takes it back'
	@echo 'make clean        remove $(BUILD)'

FORCE:
-include $(OBJ:.o=.d) $(MAIN:.o=.d) $(UNIT:%=%.d) $(DRIVERS:%=%.d)
.DELETE_ON_ERROR:
.PHONY: all need-libraries setup unit test-programs check check-run check-long check-asan \
	check-valgrind check-fault corpus fuzz fuzz-build fuzz-programs demo lint bench golden install uninstall \
	clean help FORCE
