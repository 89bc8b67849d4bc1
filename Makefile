# Aurora. The two commands: `make run` serves the demo, `make check` runs the tests; both install what is missing.
#
#   make                build/mod_aurora.so, and build/apr_dbd_oracle.so where ODPI-C is (ODPI=prefix)
#   make deps           install what building, running and testing need (Debian packages, only what is missing)
#   make deps-oracle    ODPI-C, which the Oracle driver is built on, from Debian's contrib area
#   make run            PORT=8080 MPM=event|prefork DB=sqlite|pgsql|mysql CONF=file
#   make check          TESTS='t/30-*.t' PROVEFLAGS=-v
#   make readers        programs that read what exports write, for the tests: LibreOffice, Chromium, packages of npm
#   make asan           the same tests under AddressSanitizer and UndefinedBehaviorSanitizer, in build/asan
#   make tsan           the unit tests under ThreadSanitizer, in build/tsan
#   make lint format    what the linters say; lay out the sources
#   make docs           docs/directives.md from the settings table
#   make bench          BENCH='pg_export pg_requests': of t/bench only these
#   make install        DESTDIR= ; module, header and configuration where apxs says
#   make clean
#
# BUILD=dir builds elsewhere, CC=clang with another compiler, V=1 shows the commands.
BUILD ?= build
PORT  ?= 8080
MPM   ?= event
CONF  ?=
DB    ?= sqlite
BENCH ?=
ifeq ($(origin CC),default)
CC := gcc
endif
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

include apxs.mk

# One short line per file instead of the command, unless V=1.
say = $(if $(V),,@echo '  $(1)  $(2)'; )

# --- sources ------------------------------------------------------------------------------------
SOURCES   := $(sort $(wildcard mod_aurora/*.c mod_aurora/*/*.c))
HEADERS   := $(sort $(wildcard include/*.h include/*/*.h mod_aurora/*/*.h dbd/*.h t/unit/*.h))
OBJECTS   := $(SOURCES:%.c=$(BUILD)/obj/%.o)
# What meets httpd is left out of the library that unit tests link.
SERVER_RE := ^ *\# *include *[<"](httpd|http_[a-z]+|ap_[a-z_]+|mpm_common|scoreboard|util_[a-z0-9]+|mod_[a-z]+|aurora/config)\.h[>"]
SERVER_SOURCES := $(filter mod_aurora/mod_aurora.c mod_aurora/config/% mod_aurora/http/%,$(SOURCES)) \
                  $(if $(SOURCES),$(shell grep -lE '$(SERVER_RE)' $(SOURCES)))
# The Oracle driver knows neither the module nor httpd.
DBD_OBJECTS := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard dbd/*.c)))
CORE_OBJECTS := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out $(SERVER_SOURCES),$(SOURCES)))
UNITS     := $(filter-out $(if $(ODPI_FOUND),,$(BUILD)/t/unit/oracle_%),$(patsubst %.c,$(BUILD)/%,$(sort $(wildcard t/unit/*.c))))
FAULTS    := $(patsubst %.c,$(BUILD)/%.so,$(sort $(wildcard t/fault/*.c)))
BENCHES   := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard t/bench/*.c)))

.PHONY: all driver unit faults deps deps-oracle demo run check tests readers asan tsan lint format \
        bench docs clean oci-double apxs-is-there FORCE
all: $(BUILD)/mod_aurora.so driver
	@:
driver: $(if $(ODPI_FOUND),$(BUILD)/apr_dbd_oracle.so)
	@$(if $(ODPI_FOUND),:,echo "  --  no dpi.h: the Oracle driver is not built ('make deps-oracle' brings ODPI-C, ODPI=prefix tells where it is)")
unit: $(UNITS)
	@:
faults: $(FAULTS)
	@:

apxs-is-there:
	@command -v $(APXS) >/dev/null || { echo "$(APXS) is missing: run 'make deps'" >&2; exit 1; }

# Rewritten only when compiler or flags change, so that objects follow.
$(BUILD)/flags: FORCE | apxs-is-there
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(FLAVOUR_LDFLAGS) $(LDFLAGS)' | cmp -s - $@ || \
	    echo '$(COMPILE) $(FLAVOUR_LDFLAGS) $(LDFLAGS)' > $@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(COMPILE) -c $< -o $@

# A function of ours that nobody defines would show at LoadModule only.
$(BUILD)/mod_aurora.so: $(OBJECTS)
	$(call say,LD,$@)$(CC) -shared $(FLAVOUR_LDFLAGS) $(LDFLAGS) -o $@ $^ $(AURORA_LIBS)
	@missing=$$(nm -D --undefined-only $@ | grep -o ' aur_.*'); \
	    test -z "$$missing" || { echo "$@: undefined:" $$missing >&2; rm -f $@; exit 1; }

# apr-util finds it in build/ as it is installed, by LD_LIBRARY_PATH.
$(BUILD)/apr_dbd_oracle.so: $(DBD_OBJECTS)
	$(call say,LD,$@)$(CC) -shared -Wl,-z,nodelete $(FLAVOUR_LDFLAGS) $(LDFLAGS) -o $@ $^ $(ODPI_LIBS) $(APR_LIBS) -lpthread -lm
	@missing=$$(nm -D --undefined-only $@ | grep -o ' ora_.*'); \
	    test -z "$$missing" || { echo "$@: undefined:" $$missing >&2; rm -f $@; exit 1; }
	@mkdir -p $(BUILD)/apr-util-1 && ln -sf ../apr_dbd_oracle.so $(BUILD)/apr-util-1/apr_dbd_oracle-1.so

$(BUILD)/libaurora_core.a: $(CORE_OBJECTS)
	@rm -f $@
	$(call say,AR,$@)ar rcs $@ $^

$(BUILD)/t/%: $(BUILD)/obj/t/%.o $(BUILD)/libaurora_core.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(FLAVOUR_LDFLAGS) $(LDFLAGS) -o $@ $^ $(AURORA_LIBS) $(BENCH_LIBS) $(APR_LIBS) -lpthread -lm
$(BUILD)/t/bench/bench_deflate: BENCH_LIBS := -lz
# Units of the driver have its objects; oracle_dbd, which asks apr-util for it, goes without.
$(patsubst %,$(BUILD)/t/unit/%,oracle_params oracle_values): $(DBD_OBJECTS)
$(patsubst %,$(BUILD)/t/unit/%,oracle_params oracle_values): BENCH_LIBS := $(ODPI_LIBS)
.PRECIOUS: $(BUILD)/obj/%.o

# What tests put in front of a library to make its calls fail.
$(BUILD)/t/fault/%.so: t/fault/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -std=gnu11 -O1 -g -fPIC -shared $(WARNINGS) $(AURORA_CPPFLAGS) -o $@ $< -ldl

-include $(OBJECTS:.o=.d) $(DBD_OBJECTS:.o=.d) $(patsubst %.c,$(BUILD)/obj/%.d,$(wildcard t/*/*.c))

# --- the double of Oracle's client library: test equipment, see t/oci/README.md --------------------
# Consumers ask for it by several names; all symbols are in one.
OCI_SOURCES := $(sort $(wildcard t/oci/*.c))
OCI_OBJECTS := $(OCI_SOURCES:%.c=$(BUILD)/obj/%.o)
OCI_DOUBLE  := $(BUILD)/oci/libclntsh.so
oci-double: $(OCI_DOUBLE)
	@:
$(OCI_DOUBLE): $(OCI_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -shared $(FLAVOUR_LDFLAGS) $(LDFLAGS) -o $@ $^ -lpq -lpthread
	@for name in libclntsh.so.21.1 libclntshcore.so.21.1; do ln -sf libclntsh.so $(@D)/$$name; done

# --- packages (Debian's names) ------------------------------------------------------------------
# apache2-bin is the binary and its modules; no service is installed or started.
PKGS_build := gcc libc6-dev make binutils apache2-dev libsqlite3-dev libjansson-dev libpq-dev \
              libxlsxwriter-dev libisal-dev nettle-dev
PKGS_run   := apache2-bin libaprutil1-dbd-sqlite3 sqlite3 perl curl
# A database server only where one is asked for.
PKGS_run_pgsql := libaprutil1-dbd-pgsql postgresql-15
PKGS_run_mysql := libaprutil1-dbd-mysql mariadb-server-core mariadb-client-core
PKGS_test  := $(PKGS_run) procps $(PKGS_run_pgsql) $(PKGS_run_mysql) libaprutil1-dbd-odbc odbc-mariadb \
              unzip strace openssl nghttp2-client python3-openpyxl
# Programs that open what exports write; large, and tests that miss one say so.
PKGS_readers := libreoffice-calc-nogui chromium
PKGS_lint  := clang clang-format clang-tidy cppcheck
PKGS_bench := $(PKGS_test) python3-xlsxwriter zlib1g-dev

deps:
	@.ci/deps $(PKGS_build) $(PKGS_run) $(PKGS_test)

# ODPI-C is free, but stands on Oracle's client, which is not: Debian has it in contrib.
deps-oracle:
	@CC='$(CC)' .ci/deps-oracle '$(BUILD)/odpi'

# --- run ----------------------------------------------------------------------------------------
DEMO_DB := build/demo/aurora.db
$(DEMO_DB): conf.d/demo/make-db $(wildcard conf.d/demo/*.pm conf.d/demo/*.sql)
	@mkdir -p $(@D)
	conf.d/demo/make-db $@
demo: $(DEMO_DB)
	@:

# Two steps, because apxs answers only once it is installed.
run:
	@case '$(DB)' in sqlite|pgsql|mysql) ;; *) echo 'DB=$(DB): sqlite, pgsql or mysql' >&2; exit 1 ;; esac
	@.ci/deps $(PKGS_build) $(PKGS_run) $(PKGS_run_$(DB))
	@$(MAKE) --no-print-directory all $(if $(filter sqlite,$(DB)),demo)
	@BUILD='$(BUILD)' DB='$(DB)' DEMO_DB='$(DEMO_DB)' PORT='$(PORT)' MPM='$(MPM)' CONF='$(CONF)' APXS='$(APXS)' \
	    exec conf.d/demo/run

# --- tests --------------------------------------------------------------------------------------
PROVEFLAGS ?=
# Units that need a database server are run by the .t file that starts one.
SERVED := %_pgsql %_mysql %_dbd
TESTS ?= $(filter-out $(SERVED),$(UNITS)) $(sort $(wildcard t/*.t))

check:
	@.ci/deps $(PKGS_build) $(PKGS_test)
	@$(MAKE) --no-print-directory readers
	@.ci/promtool '$(BUILD)'
	@$(MAKE) --no-print-directory deps-oracle || echo 'deps-oracle: the Oracle driver is neither built nor tested' >&2
	@$(MAKE) --no-print-directory tests

# Debian's npm stands in conflict with a node that is not Debian's: it is asked for only where there is none.
readers:
	@.ci/deps $(PKGS_readers) || echo 'readers: tests will skip those that are missing' >&2
	@command -v npm >/dev/null || .ci/deps nodejs npm || echo 'readers: no npm' >&2
	@$(MAKE) --no-print-directory $(BUILD)/npm/installed || echo 'readers: npm could not install its packages' >&2
$(BUILD)/npm/installed: t/npm/package.json t/npm/package-lock.json
	@mkdir -p $(@D)
	@cp $^ $(@D)
	cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

tests: all unit faults
	@BUILD='$(BUILD)' SANITIZE='$(SANITIZE)' CC='$(CC)' PROVEFLAGS='$(PROVEFLAGS)' t/run $(TESTS)

asan:
	@$(MAKE) --no-print-directory check BUILD=build/asan SANITIZE=address,undefined
tsan:
	@.ci/deps $(PKGS_build) $(PKGS_test)
	@$(MAKE) --no-print-directory tests BUILD=build/tsan SANITIZE=thread \
	    TESTS='$(filter-out $(SERVED),$(patsubst %.c,build/tsan/%,$(sort $(wildcard t/unit/*.c)))) t/26-pgsql.t t/29-dbd.t'

bench:
	@.ci/deps $(PKGS_build) $(PKGS_bench)
	@$(MAKE) --no-print-directory all demo $(BENCHES)
	@AURORA_BUILD='$(abspath $(BUILD))' t/bench/run $(BENCH)

# --- order in the house -------------------------------------------------------------------------
LAYOUT := $(SOURCES) $(HEADERS) $(sort $(wildcard t/unit/*.c t/fault/*.c t/bench/*.c dbd/*.c))
CPPCHECK := cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability --inline-suppr \
            --error-exitcode=1 --suppressions-list=.cppcheck '-DAPR_STRINGIFY(n)=\#n' -DLIBPQ_HAS_PIPELINING -Iinclude -Imod_aurora
lint:
	@.ci/deps $(PKGS_build) $(PKGS_lint)
	@$(MAKE) --no-print-directory deps-oracle
	$(MAKE) --no-print-directory all unit CC=clang BUILD=build/clang
	@clang-format --dry-run -Werror $(LAYOUT)
	$(CPPCHECK) mod_aurora dbd t/unit
	@printf '%s\n' $(SOURCES) $(sort $(wildcard dbd/*.c)) | xargs -P 2 -n 1 .ci/tidy $(AURORA_CPPFLAGS)

# The reference is written from the settings table by a program of its own.
$(BUILD)/directives_doc: mod_aurora/config/directives_doc.c mod_aurora/config/config_table.h
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -std=gnu11 $(WARNINGS) -DAUR_DIRECTIVES_DOC -Imod_aurora -o $@ $<
docs: $(BUILD)/directives_doc
	$(BUILD)/directives_doc markdown > docs/directives.md

format:
	@clang-format -i $(LAYOUT)

clean:
	rm -rf $(BUILD)
