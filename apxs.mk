# apxs.mk - how the module is built and installed: everything httpd knows comes from apxs.
#
# Each question is asked once, when its answer is first needed: a machine without apxs can still run `make deps`.
APXS ?= apxs
PG_CONFIG ?= pg_config
DESTDIR ?=
comma := ,
once = $(eval $(1) := $(2))$($(1))

HTTPD_INCLUDEDIR = $(call once,HTTPD_INCLUDEDIR,$(shell $(APXS) -q INCLUDEDIR))
HTTPD_CFLAGS     = $(call once,HTTPD_CFLAGS,$(shell $(APXS) -q CFLAGS))
HTTPD_CPPFLAGS   = $(call once,HTTPD_CPPFLAGS,$(shell $(APXS) -q EXTRA_CPPFLAGS))
LIBEXECDIR       = $(call once,LIBEXECDIR,$(shell $(APXS) -q LIBEXECDIR))
SYSCONFDIR       = $(call once,SYSCONFDIR,$(shell $(APXS) -q SYSCONFDIR))
APR_CONFIG       = $(call once,APR_CONFIG,$(shell $(APXS) -q APR_CONFIG))
APU_CONFIG       = $(call once,APU_CONFIG,$(shell $(APXS) -q APU_CONFIG))
APR_INCLUDEDIR   = $(call once,APR_INCLUDEDIR,$(shell $(APR_CONFIG) --includedir))
APU_INCLUDEDIR   = $(call once,APU_INCLUDEDIR,$(shell $(APU_CONFIG) --includedir))
APR_LIBS         = $(call once,APR_LIBS,$(shell $(APU_CONFIG) --link-ld) $(shell $(APR_CONFIG) --link-ld))

LIBPQ_INCLUDEDIR = $(call once,LIBPQ_INCLUDEDIR,$(shell $(PG_CONFIG) --includedir))

# ODPI-C, for the Oracle driver: ODPI=prefix, what `make deps-oracle` has unpacked, pkg-config, or the compiler's own
# folders. ODPI_FOUND is empty where there is none: everything else is built without it.
ODPI ?=
ODPI_PREFIX   := $(or $(ODPI),$(wildcard $(BUILD)/odpi/usr))
ODPI_CPPFLAGS := $(if $(ODPI_PREFIX),-isystem $(ODPI_PREFIX)/include,$(shell pkg-config --cflags odpi 2>/dev/null))
ODPI_LIBDIR   := $(patsubst %/libodpic.so,%,$(firstword $(wildcard $(foreach d,lib lib64 lib/*,$(ODPI_PREFIX)/$(d)/libodpic.so))))
ODPI_LIBS     := $(if $(ODPI_PREFIX),-L$(ODPI_LIBDIR) -Wl$(comma)-rpath$(comma)$(abspath $(ODPI_LIBDIR))) -lodpic
ODPI_FOUND    := $(shell echo '\#include <dpi.h>' | $(CC) $(ODPI_CPPFLAGS) -E -x c - >/dev/null 2>&1 && echo yes)

# Flavours: `make SANITIZE=address,undefined`. The plain one is hardened instead.
SANITIZE ?=
ifeq ($(SANITIZE),)
FLAVOUR_CFLAGS  := -O2 -g -D_FORTIFY_SOURCE=2
FLAVOUR_LDFLAGS := -Wl,-z,relro -Wl,-z,now
else
FLAVOUR_CFLAGS  := -O1 -g -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAVOUR_LDFLAGS := -fsanitize=$(SANITIZE)
endif

WARNINGS := -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers -Wshadow \
            -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2

# Headers of the server and of APR are the system's: our warnings are not for them.
AURORA_CPPFLAGS = -Iinclude -Imod_aurora -isystem $(HTTPD_INCLUDEDIR) -isystem $(APR_INCLUDEDIR) \
                  $(if $(filter $(APR_INCLUDEDIR),$(APU_INCLUDEDIR)),,-isystem $(APU_INCLUDEDIR)) \
                  -isystem $(LIBPQ_INCLUDEDIR) \
                  $(ODPI_CPPFLAGS) $(HTTPD_CPPFLAGS)
AURORA_CFLAGS   = -std=gnu11 $(HTTPD_CFLAGS) -fPIC -fvisibility=hidden $(FLAVOUR_CFLAGS) $(WARNINGS)
AURORA_LIBS     = -ljansson -lsqlite3 -lpq -lxlsxwriter -lisal -lnettle

COMPILE = $(CC) $(AURORA_CPPFLAGS) $(CPPFLAGS) $(AURORA_CFLAGS) $(CFLAGS) -MMD -MP

# --- install ------------------------------------------------------------------------------------
# Debian's httpd enables modules by files in mods-available (a2enmod aurora); elsewhere the configuration goes
# to extra/. Nothing is enabled here, and a configuration that is already there is left alone.
MODS_AVAILABLE = $(wildcard $(SYSCONFDIR)/mods-available)
# apr-util looks for drivers in apr-util-1/ beside itself, under a name with its major version; the plain name is for
# people.
APU_LIBDIR = $(call once,APU_LIBDIR,$(or $(patsubst -L%,%,$(filter -L%,$(shell $(APU_CONFIG) --link-ld))),$(patsubst \
             %/,%,$(dir $(shell $(CC) -print-file-name=libaprutil-1.so)))))
DBD_DIR   ?= $(APU_LIBDIR)/apr-util-1
CONF_TARGET    = $(DESTDIR)$(SYSCONFDIR)/$(if $(MODS_AVAILABLE),mods-available,extra)

.PHONY: install uninstall
install: all
	install -d "$(DESTDIR)$(LIBEXECDIR)" "$(DESTDIR)$(HTTPD_INCLUDEDIR)" "$(CONF_TARGET)"
	install -m 644 $(BUILD)/mod_aurora.so "$(DESTDIR)$(LIBEXECDIR)/mod_aurora.so"
	$(if $(ODPI_FOUND),install -d "$(DESTDIR)$(DBD_DIR)")
	$(if $(ODPI_FOUND),install -m 644 $(BUILD)/apr_dbd_oracle.so "$(DESTDIR)$(DBD_DIR)/apr_dbd_oracle-1.so")
	$(if $(ODPI_FOUND),ln -sf apr_dbd_oracle-1.so "$(DESTDIR)$(DBD_DIR)/apr_dbd_oracle.so")
	$(if $(ODPI_FOUND),install -m 644 include/apr_dbd_oracle.h "$(DESTDIR)$(HTTPD_INCLUDEDIR)/apr_dbd_oracle.h")
	$(if $(wildcard include/mod_aurora.h),install -m 644 include/mod_aurora.h "$(DESTDIR)$(HTTPD_INCLUDEDIR)/mod_aurora.h")
	echo 'LoadModule aurora_module $(LIBEXECDIR)/mod_aurora.so' > "$(CONF_TARGET)/aurora.load"
	chmod 644 "$(CONF_TARGET)/aurora.load"
	if [ -e "$(CONF_TARGET)/aurora.conf" ]; then \
	    install -m 644 conf.d/aurora.conf "$(CONF_TARGET)/aurora.conf.dist"; \
	else install -m 644 conf.d/aurora.conf "$(CONF_TARGET)/aurora.conf"; fi
	install -m 644 conf.d/aurora-sqlite.conf conf.d/aurora-pgsql.conf conf.d/aurora-mysql.conf \
	    conf.d/aurora-oracle.conf "$(CONF_TARGET)"

uninstall:
	rm -f "$(DESTDIR)$(LIBEXECDIR)/mod_aurora.so" "$(DESTDIR)$(HTTPD_INCLUDEDIR)/mod_aurora.h" \
	      "$(DESTDIR)$(DBD_DIR)/apr_dbd_oracle-1.so" "$(DESTDIR)$(DBD_DIR)/apr_dbd_oracle.so" \
	      "$(DESTDIR)$(HTTPD_INCLUDEDIR)/apr_dbd_oracle.h" \
	      "$(CONF_TARGET)/aurora.load" "$(CONF_TARGET)/aurora.conf.dist" \
	      "$(CONF_TARGET)/aurora-sqlite.conf" "$(CONF_TARGET)/aurora-pgsql.conf" "$(CONF_TARGET)/aurora-mysql.conf"
