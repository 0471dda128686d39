# SPDX-License-Identifier: MIT
# GNU make; the only build file. `make help` lists what there is to make.
#
# A new command needs no line here: cmd/nm-foo.c, or cmd/nm-foo/*.c, is found.
# If it links a library, that is one line under "What is built".

VERSION := 0.1.0

B       ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
CLANG   ?= clang
BPFTOOL ?= $(firstword $(shell command -v bpftool) /usr/sbin/bpftool)

# --- What is built -----------------------------------------------------------

CMDS := $(sort $(basename $(notdir $(wildcard cmd/nm-*.c))) \
	       $(notdir $(patsubst %/,%,$(dir $(wildcard cmd/nm-*/main.c)))))
SCRIPTS   := cmd/netmonitor
TEMPLATES := nm-example
BPF_CMDS  := nm-collect

LDLIBS_nm-classify = -lndpi -lcrypto -lresolv
LDLIBS_nm-collect = -lbpf -lelf -lz -lcap
LDLIBS_nm-geo     = -lmaxminddb
LDLIBS_nm-resolve = -lcares -lresolv
LDLIBS_nm-view    = -lreadline -lncursesw -ltinfo

TEST_LDLIBS_nm-traffic = -luring -lpthread -lbpf -lelf -lz
TEST_LDLIBS_quic-initial = -lcrypto
TEST_LDLIBS_bench/empty = -lbpf -lelf -lz

# --- How ---------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wcast-qual \
	-Wimplicit-fallthrough -Wno-missing-field-initializers
ifdef WERROR
WARNINGS += -Werror
endif
ifdef SAN
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
endif

CFLAGS ?= -O2 -g
# What a user gives in CFLAGS and LDFLAGS comes last, and so wins.
ALL_CFLAGS  = -std=c11 $(WARNINGS) $(SANFLAGS) $(CFLAGS)
ALL_CPPFLAGS = -D_GNU_SOURCE -DNM_VERSION='"$(VERSION)"' -Ilib -Ibpf \
	-isystem $(B) $(CPPFLAGS)
ALL_LDFLAGS = $(SANFLAGS) $(LDFLAGS)

BPF_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(shell uname -m)))
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -Werror \
	-Wno-unused-parameter -D__TARGET_ARCH_$(BPF_ARCH) -Ibpf \
	-idirafter /usr/include/$(shell uname -m)-linux-gnu

LIB_OBJS := $(patsubst lib/%.c,$(B)/lib/%.o,$(wildcard lib/*.c))
cmd_objs  = $(patsubst cmd/%.c,$(B)/cmd/%.o,$(wildcard cmd/$(1).c cmd/$(1)/*.c))
TEST_PROGS := $(patsubst tests/%.c,$(B)/tests/%,\
	$(wildcard tests/*.c tests/lib/*.c tests/bench/*.c)) \
	$(B)/tests/nm-traffic $(B)/tests/nm-churn

ifeq ($(V),)
Q = @
say = @printf '  %-7s %s\n' '$(1)' '$(2)';
endif

# After `sudo make run` the owner of the tree must be able to build there too.
hand_over = [ "$$(id -u)" != 0 ] || chown -R --reference=Makefile $(B)

.DELETE_ON_ERROR:
.SECONDARY:
.SECONDEXPANSION:
.PHONY: all run deps geodata check check-root check-asan check-vm check-life bench \
	fuzz lint format new install uninstall clean help test-programs compdb

all: $(addprefix $(B)/,$(CMDS)) $(B)/netmonitor ## build everything
	@$(hand_over)

$(addprefix $(B)/,$(CMDS)): $(B)/%: $$(call cmd_objs,$$*) $(B)/libnm.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS_$*) -ljansson \
		$(LDLIBS)

$(B)/netmonitor: cmd/netmonitor | $(B)/
	$(call say,GEN,$@)
	$(Q)sed 's/@VERSION@/$(VERSION)/' $< >$@ && chmod +x $@

$(B)/libnm.a: $(LIB_OBJS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c | $$(@D)/
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MD -MP -c -o $@ $<

# Only what carries BPF programs needs clang and bpftool to be built.
$(foreach c,$(BPF_CMDS),$(call cmd_objs,$(c))): \
	$$(patsubst bpf/%.bpf.c,$(B)/%.skel.h,$$(wildcard bpf/*.bpf.c))

$(B)/%.bpf.o: bpf/%.bpf.c | $(B)/
	$(call say,BPF,$<)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MD -MP -c -o $@ $<

$(B)/%.skel.h: $(B)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

$(B)/tests/%: tests/%.c $(B)/libnm.a | $$(@D)/
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MD -MP -o $@ $< $(B)/libnm.a \
		$(ALL_LDFLAGS) $(TEST_LDLIBS_$*) -ljansson $(LDLIBS)

$(B)/tests/nm-traffic: $(patsubst %.c,$(B)/%.o,$(wildcard tests/traffic/*.c))
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ \
		$(TEST_LDLIBS_nm-traffic) $(LDLIBS)

$(B)/tests/nm-churn: $(patsubst %.c,$(B)/%.o,$(wildcard tests/life/*.c))
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

test-programs: $(TEST_PROGS)
	@$(hand_over)

%/:
	@mkdir -p $@

# Another B inside the tree is as little part of it as build/ is.
all test-programs: | $(B)/.gitignore

$(B)/.gitignore: | $(B)/
	@echo '*' >$@

-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)

# --- Running and testing -----------------------------------------------------

deps: ## install what is missing to build, run and test
	@packaging/deps install

geodata: ## fetch free databases for nm-geo into your data folder
	@packaging/geodata

run: deps ## build, and open the viewer (needs root for the collector)
	$(Q)$(MAKE) --no-print-directory all
	@PATH="$(abspath $(B)):$$PATH" $(abspath $(B))/netmonitor $(ARGS)

check: deps ## all tests that this machine can run
	$(Q)$(MAKE) --no-print-directory all test-programs
	@B=$(abspath $(B)) tests/run $(TESTS)

check-root: deps ## only the tests that need root
	$(Q)$(MAKE) --no-print-directory all test-programs
	@B=$(abspath $(B)) tests/run --filter-tags root $(TESTS)

check-asan: ## the tests under the address and undefined-behaviour sanitizers
	$(Q)$(MAKE) --no-print-directory check B=$(B)/asan SAN=1

check-vm: deps ## the collector's tests inside other kernels, under QEMU
	$(Q)$(MAKE) --no-print-directory all test-programs
	@B=$(abspath $(B)) tests/vm/run $(KERNELS)

check-life: deps ## a long life of the collector, of MINUTES (60)
	$(Q)$(MAKE) --no-print-directory all test-programs
	@PATH="$(abspath $(B)):$(abspath $(B))/tests:$$PATH" \
		tests/life/run $$(($(or $(MINUTES),60) * 60))

bench: deps ## measure, as ratios against real alternatives
	$(Q)$(MAKE) --no-print-directory all test-programs
	@B=$(abspath $(B)) tests/bench/run $(BENCH)

fuzz: ## run the fuzzers for SECONDS each (60)
	@B=$(abspath $(B)) tests/fuzz/run $(or $(SECONDS),60)

# --- Keeping the house -------------------------------------------------------

C_FILES := $(shell git ls-files -co --exclude-standard '*.c' '*.h' 2>/dev/null)
SH_FILES := $(shell git grep -l --untracked -e '^\#! */bin/\(ba\)*sh' \
	-e '^\# shellcheck shell=' 2>/dev/null)

lint: ## format, shell scripts, manual pages
	$(Q)clang-format --dry-run -Werror $(C_FILES)
	$(Q)shellcheck -x -P SCRIPTDIR $(SH_FILES)
	$(Q)mandoc -Tlint -Wwarning man/*.[1-8]

format: ## let clang-format have its way
	clang-format -i $(C_FILES)

new: ## a new stage from the template: make new NAME=nm-foo
	@packaging/new-stage "$(NAME)"

compdb: clean ## compile_commands.json, for clangd
	bear -- $(MAKE) all test-programs

install: all ## into DESTDIR and PREFIX
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(BASHDIR)
	install -m 755 $(addprefix $(B)/,$(filter-out $(TEMPLATES),$(CMDS))) \
		$(B)/netmonitor $(DESTDIR)$(BINDIR)
	set -e; for page in $(filter-out $(TEMPLATES:%=man/%.1),\
		$(wildcard man/*.[1-8])); do \
		dir=$(DESTDIR)$(MANDIR)/man$${page##*.}; install -d $$dir; \
		install -m 644 $$page $$dir; \
	done
	install -m 644 completions/netmonitor $(DESTDIR)$(BASHDIR)/netmonitor
	set -e; for c in $(filter-out $(TEMPLATES),$(CMDS)); do \
		ln -sf netmonitor $(DESTDIR)$(BASHDIR)/$$c; \
	done

uninstall: ## what install put there
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,\
		$(filter-out $(TEMPLATES),$(CMDS)) netmonitor)
	rm -f $(foreach p,$(wildcard man/*.[1-8]),\
		$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(p)))/$(notdir $(p)))
	rm -f $(addprefix $(DESTDIR)$(BASHDIR)/,\
		$(filter-out $(TEMPLATES),$(CMDS)) netmonitor)

clean: ## remove what was built
	rm -rf $(B)

help: ## this
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14
	@echo
	@echo 'Variables: V=1 (show commands) B=build DESTDIR= PREFIX=/usr/local'
	@echo 'WERROR=1 SAN=1 (sanitizers) CFLAGS= LDFLAGS= TESTS="tests/x.bats"'
