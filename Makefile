# Aurora. The two commands: `make run` serves the demo, `make check` runs the tests; both install what is missing.
#
#   make                build/mod_aurora.so, and build/apr_dbd_oracle.so where ODPI-C is (ODPI=prefix)
#   make deps           install what building, running and testing need (Debian packages, only what is missing)
#   make deps-oracle    ODPI-C, which the Oracle driver is built on, from Debian's contrib area
#   make run            PORT=8080 MPM=event|prefork DB=sqlite|pgsql|mysql CONF=file
#   make check          TESTS='t/30-*.t' PROVEFLAGS=-v
#   make readers        programs that read what exports write, for the tests: LibreOffice, Chromium, packages of npm
#   make fuzz           SECONDS=60 TARGETS='csv request' SEED=0: libFuzzer under sanitizers, in build/fuzz
#   make asan           the same tests under AddressSanitizer and UndefinedBehaviorSanitizer, in build/asan
#   make tsan           the unit tests under ThreadSanitizer, in build/tsan
#   make oci-double     the stand-in for Oracle's client library that the tests use
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
HEADERS   := $(sort $(wildcard include/*.h include/*/*.h mod_aurora/*/*.h dbd/*.h t/unit/*.h t/fuzz/*/*.h))
OBJECTS   := $(SOURCES:%.c=$(BUILD)/obj/%.o)
# What meets httpd is left out of the library that unit tests link.
SERVER_RE := ^ *\# *include *[<"](httpd|http_[a-z]+|ap_[a-z_]+|mpm_common|scoreboard|util_[a-z0-9]+|mod_[a-z]+|aurora/config)\.h[>"]
SERVER_SOURCES := $(filter mod_aurora/mod_aurora.c mod_aurora/config/% mod_aurora/http/%,$(SOURCES)) \
                  $(if $(SOURCES),$(shell grep -lE '$(SERVER_RE)' $(SOURCES)))
# The Oracle driver knows neither the module nor httpd.
DBD_OBJECTS := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard dbd/*.c)))
CORE_OBJECTS := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out $(SERVER_SOURCES),$(SOURCES)))
UNITS     := $(filter-out $(if $(ODPI_FOUND),,$(BUILD)/t/unit/oracle_%),$(patsubst %.c,$(BUILD)/%,$(sort $(wildcard t/unit/*.c))))
FUZZ      := $(sort $(wildcard t/fuzz/*.c))
REPLAYS   := $(FUZZ:%.c=$(BUILD)/%)
FUZZERS   := $(FUZZ:t/fuzz/%.c=$(BUILD)/fuzzers/%)
FAULTS    := $(patsubst %.c,$(BUILD)/%.so,$(sort $(wildcard t/fault/*.c)))
BENCHES   := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard t/bench/*.c)))

.PHONY: all driver unit faults replays fuzz fuzzers deps deps-oracle demo run check tests readers asan tsan \
        lint format bench docs clean oci-double oci-consumers apxs-is-there FORCE
all: $(BUILD)/mod_aurora.so driver
	@:
driver: $(if $(ODPI_FOUND),$(BUILD)/apr_dbd_oracle.so)
	@$(if $(ODPI_FOUND),:,echo "  --  no dpi.h: the Oracle driver is not built ('make deps-oracle' brings ODPI-C, ODPI=prefix tells where it is)")
unit: $(UNITS)
	@:
faults: $(FAULTS)
	@:
replays: $(REPLAYS)
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

# The description of the interface (http_openapi.h) as a string, without its indentation.
$(BUILD)/gen/openapi_json.c: mod_aurora/http/openapi.json
	@mkdir -p $(@D)
	$(call say,GEN,$@){ echo 'extern const char aur_openapi_json[]; const char aur_openapi_json[] ='; \
	    sed -e 's/^ *//' -e 's/["\\]/\\&/g' -e 's/.*/"&\\n"/' $<; echo ';'; } > $@
$(BUILD)/obj/openapi_json.o: $(BUILD)/gen/openapi_json.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(COMPILE) -c $< -o $@

# A function of ours that nobody defines would show at LoadModule only.
$(BUILD)/mod_aurora.so: $(OBJECTS) $(BUILD)/obj/openapi_json.o
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
$(BUILD)/t/unit/oci_encode: $(BUILD)/obj/t/oci/encode.o $(BUILD)/obj/t/oci/encode_time.o
$(BUILD)/t/bench/bench_deflate: BENCH_LIBS := -lz
# Units of the driver have its objects; oracle_dbd, which asks apr-util for it, goes without.
$(patsubst %,$(BUILD)/t/unit/%,oracle_params oracle_values): $(DBD_OBJECTS)
$(patsubst %,$(BUILD)/t/unit/%,oracle_params oracle_values): BENCH_LIBS := $(ODPI_LIBS)
.PRECIOUS: $(BUILD)/obj/%.o

# A fuzz target links with libFuzzer's main or, as a test that runs kept inputs again, with ours.
FUZZ_LIB    := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out %/replay.c,$(wildcard t/fuzz/lib/*.c)))
FUZZ_LIBS    = $(AURORA_LIBS) $(APR_LIBS) -lpthread -lm -ldl
$(REPLAYS): $(BUILD)/t/fuzz/%: $(BUILD)/obj/t/fuzz/%.o $(BUILD)/obj/t/fuzz/lib/replay.o $(FUZZ_LIB) $(BUILD)/libaurora_core.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(FLAVOUR_LDFLAGS) $(LDFLAGS) -o $@ $^ $(FUZZ_LIBS)
$(FUZZERS): $(BUILD)/fuzzers/%: $(BUILD)/obj/t/fuzz/%.o $(FUZZ_LIB) $(BUILD)/libaurora_core.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -fsanitize=fuzzer,address,undefined $(LDFLAGS) -o $@ $^ $(FUZZ_LIBS)

# What tests put in front of a library to make its calls fail.
$(BUILD)/t/fault/%.so: t/fault/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -std=gnu11 -O1 -g -fPIC -shared $(WARNINGS) $(AURORA_CPPFLAGS) -o $@ $< -ldl

-include $(OBJECTS:.o=.d) $(DBD_OBJECTS:.o=.d) $(patsubst %.c,$(BUILD)/obj/%.d,$(wildcard t/*/*.c t/*/*/*.c))

# --- the double of Oracle's client library: test equipment, see t/oci/README.md --------------------
# Consumers ask for it by several names; all symbols are in one.
OCI_SOURCES := $(sort $(wildcard t/oci/*.c))
OCI_OBJECTS := $(OCI_SOURCES:%.c=$(BUILD)/obj/%.o)
OCI_DOUBLE  := $(BUILD)/oci/libclntsh.so
oci-double: $(OCI_DOUBLE)
	@:
# Programs written for the real library, which the double is tested with.
oci-consumers: $(BUILD)/oci/npm/installed
	@.ci/contrib $(BUILD)/oci/contrib libdbd-oracle-perl
$(BUILD)/oci/npm/installed: t/oci/npm/package.json t/oci/npm/package-lock.json
	@mkdir -p $(@D)
	@cp $^ $(@D)
	cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
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
              unzip strace openssl nghttp2-client python3-openpyxl python3-jsonschema postgresql-15-orafce libdbi-perl
# Programs that open what exports write; large, and tests that miss one say so.
PKGS_readers := libreoffice-calc-nogui chromium
PKGS_fuzz  := clang libclang-rt-14-dev
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
TESTS ?= $(filter-out $(SERVED),$(UNITS)) $(REPLAYS) $(sort $(wildcard t/*.t))

check:
	@.ci/deps $(PKGS_build) $(PKGS_test)
	@$(MAKE) --no-print-directory readers
	@.ci/promtool '$(BUILD)'
	@$(if $(SANITIZE),,$(if $(filter t/92-fuzz.t,$(TESTS)),.ci/deps $(PKGS_fuzz) && \
	    $(MAKE) --no-print-directory fuzzers || echo 'fuzzers: not built; their test will be skipped' >&2))
	@$(MAKE) --no-print-directory deps-oracle || echo 'deps-oracle: the Oracle driver is neither built nor tested' >&2
	@$(MAKE) --no-print-directory tests

# Debian's npm stands in conflict with a node that is not Debian's: it is asked for only where there is none.
readers:
	@.ci/deps $(PKGS_readers) || echo 'readers: tests will skip those that are missing' >&2
	@command -v npm >/dev/null || .ci/deps nodejs npm || echo 'readers: no npm' >&2
	@$(MAKE) --no-print-directory oci-consumers || echo 'readers: without consumers of the OCI double' >&2
	@$(MAKE) --no-print-directory $(BUILD)/npm/installed || echo 'readers: npm could not install its packages' >&2
$(BUILD)/npm/installed: t/npm/package.json t/npm/package-lock.json
	@mkdir -p $(@D)
	@cp $^ $(@D)
	cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

tests: all unit faults replays oci-double
	@BUILD='$(BUILD)' SANITIZE='$(SANITIZE)' CC='$(CC)' PROVEFLAGS='$(PROVEFLAGS)' t/run $(TESTS)

asan:
	@$(MAKE) --no-print-directory check BUILD=build/asan SANITIZE=address,undefined
tsan:
	@.ci/deps $(PKGS_build) $(PKGS_test)
	@$(MAKE) --no-print-directory tests BUILD=build/tsan SANITIZE=thread \
	    TESTS='$(filter-out $(SERVED),$(patsubst %.c,build/tsan/%,$(sort $(wildcard t/unit/*.c)))) t/26-pgsql.t t/29-dbd.t'

# Always clang, whatever builds the rest; without it `make check` runs the kept inputs alone.
FUZZ_TARGETS := $(patsubst t/fuzz/%.c,%,$(FUZZ))
FUZZ_BUILD   := build/fuzz
SECONDS ?= 60
SEED    ?= 0
TARGETS ?= $(FUZZ_TARGETS)
# APR's rings go through a null pointer for an offset, unless stddef.h comes first.
fuzzers:
	@$(MAKE) --no-print-directory CC=clang BUILD=$(FUZZ_BUILD) SANITIZE=fuzzer-no-link,address,undefined \
	    CPPFLAGS='-include stddef.h' \
	    $(FUZZ:t/fuzz/%.c=$(FUZZ_BUILD)/fuzzers/%)
fuzz:
	@.ci/deps $(PKGS_build) $(PKGS_fuzz)
	@$(MAKE) --no-print-directory fuzzers
	@t/fuzz/run '$(SECONDS)' '$(SEED)' $(TARGETS)

bench:
	@.ci/deps $(PKGS_build) $(PKGS_bench)
	@$(MAKE) --no-print-directory all demo $(BENCHES) $(if $(ODPI_FOUND),oci-double)
	@AURORA_BUILD='$(abspath $(BUILD))' t/bench/run $(BENCH)

# --- order in the house -------------------------------------------------------------------------
LAYOUT := $(SOURCES) $(HEADERS) \
          $(sort $(wildcard t/unit/*.c t/fuzz/*.c t/fuzz/*/*.c t/fault/*.c t/bench/*.c t/oci/*.[ch] dbd/*.c))
CPPCHECK := cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability --inline-suppr \
            --error-exitcode=1 --suppressions-list=.cppcheck '-DAPR_STRINGIFY(n)=\#n' -DLIBPQ_HAS_PIPELINING -Iinclude -Imod_aurora
lint:
	@.ci/deps $(PKGS_build) $(PKGS_lint)
	@$(MAKE) --no-print-directory deps-oracle
	$(MAKE) --no-print-directory all unit replays CC=clang BUILD=build/clang
	@clang-format --dry-run -Werror $(LAYOUT)
	$(CPPCHECK) mod_aurora dbd t/unit t/fuzz
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
