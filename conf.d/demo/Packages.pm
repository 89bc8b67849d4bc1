package Packages;

# The Debian package catalogue as two tables: what apt knows, or, where apt has no lists, what dpkg has installed.

use strict;
use warnings;

use Sql ();

my $SCHEMA = <<'SQL';
CREATE TABLE DEB_PACKAGES (
    PACKAGE VARCHAR(120) NOT NULL,
    VERSION VARCHAR(80) NOT NULL,
    ARCHITECTURE VARCHAR(20) NOT NULL,
    SECTION VARCHAR(40),
    PRIORITY VARCHAR(20),
    ESSENTIAL BOOLEAN NOT NULL,
    SOURCE VARCHAR(120),
    MAINTAINER VARCHAR(200),
    HOMEPAGE VARCHAR(300),
    INSTALLED_SIZE INTEGER,
    DOWNLOAD_SIZE BIGINT,
    SHA256 BLOB,
    DESCRIPTION TEXT,
    PRIMARY KEY (PACKAGE, ARCHITECTURE, VERSION)
);
CREATE TABLE DEB_DEPENDS (
    PACKAGE VARCHAR(120) NOT NULL,
    VERSION VARCHAR(80) NOT NULL,
    ARCHITECTURE VARCHAR(20) NOT NULL,
    KIND VARCHAR(12) NOT NULL,
    POSITION INTEGER NOT NULL,
    ALTERNATIVE INTEGER NOT NULL,
    DEPENDS_ON VARCHAR(120) NOT NULL,
    DEPENDS_ARCH VARCHAR(20),
    RELATION VARCHAR(2),
    VERSION_CONSTRAINT VARCHAR(80)
);
SQL

my $INDEXES = <<'SQL';
CREATE INDEX DEB_PACKAGES_SECTION ON DEB_PACKAGES (SECTION);
CREATE INDEX DEB_DEPENDS_PACKAGE ON DEB_DEPENDS (PACKAGE);
CREATE INDEX DEB_DEPENDS_ON ON DEB_DEPENDS (DEPENDS_ON);
CREATE VIEW DEB_SECTIONS AS
    SELECT SECTION, count(*) AS PACKAGES, sum(INSTALLED_SIZE) AS INSTALLED_KIB, max(INSTALLED_SIZE) AS LARGEST_KIB
    FROM DEB_PACKAGES GROUP BY SECTION;
SQL

my @KINDS = qw(Pre-Depends Depends Recommends Suggests Enhances Breaks Conflicts Replaces Provides);

# One stanza as field => value; a value's further lines keep their line feed.
sub _stanza {
    my ($text) = @_;
    my (%field, $name);
    for (split /\n/, $text) {
        if (/^([A-Za-z0-9-]+):[ \t]*(.*)/) {
            $field{ $name = $1 } = $2;
        }
        elsif (defined $name && /^[ \t](.*)/) {
            $field{$name} .= "\n$1";
        }
    }
    return \%field;
}

# Some old maintainer's name is Latin-1.
sub _utf8 {
    my ($value) = @_;
    return $value unless defined $value && $value =~ /[\x80-\xff]/;
    my $copy = $value;
    return $value if utf8::decode($copy);
    utf8::encode($value);
    return $value;
}

sub _number {
    my ($value) = @_;
    return defined $value && $value =~ /^[0-9]{1,18}$/ ? $value : undef;
}

sub _write_package {
    my ($packages, $f) = @_;
    $packages->row($f->{Package}, $f->{Version}, $f->{Architecture},
        $f->{Section}, $f->{Priority}, ($f->{Essential} // '') eq 'yes' ? 1 : 0,
        $f->{Source}, _utf8($f->{Maintainer}), _utf8($f->{Homepage}),
        _number($f->{'Installed-Size'}), _number($f->{Size}),
        ($f->{SHA256} // '') =~ /^([0-9a-f]{64})$/ ? \"$1" : undef, _utf8($f->{Description}));
}

# "a (>= 1) | b, c:any" -> one row per alternative, both counted from 1.
sub _write_depends {
    my ($depends, $f) = @_;
    my @of = @{$f}{qw(Package Version Architecture)};
    for my $kind (grep { defined $f->{$_} } @KINDS) {
        my $position = 0;
        for my $clause (split /\s*,\s*/, $f->{$kind}) {
            $position++;
            my $alternative = 0;
            for my $one (split /\s*\|\s*/, $clause) {
                my ($name, $arch, $relation, $version) =
                    $one =~ /^([^\s:(]+)(?::(\S+))?\s*(?:\(\s*([<>=]+)\s*([^)\s]+)\s*\))?/ or next;
                $depends->row(@of, $kind, $position, ++$alternative, $name, $arch, $relation, $version);
            }
        }
    }
}

# Calls back with each stanza. Returns how many there were.
sub _each {
    my ($in, $code) = @_;
    local $/ = '';
    my $n = 0;
    while (my $text = <$in>) {
        my $f = _stanza($text);
        next unless defined $f->{Package} && defined $f->{Version} && defined $f->{Architecture};
        $n++;
        $code->($f);
    }
    return $n;
}

# The tables in the words of a database (see Sql).
sub write_sql {
    my ($out, $database) = @_;
    my $packages = Sql->new($out, 'DEB_PACKAGES', $database);
    my $depends  = Sql->new($out, 'DEB_DEPENDS', $database);
    my %seen;
    # Several archives may offer the same version of a package.
    my $write = sub {
        my ($f) = @_;
        return if $seen{"$f->{Package} $f->{Version} $f->{Architecture}"}++;
        _write_package($packages, $f);
        _write_depends($depends, $f);
    };
    print {$out} Sql::schema($database, $SCHEMA);
    my $found = 0;
    if (open my $apt, '-|', 'apt-cache dumpavail 2>/dev/null') {
        $found = _each($apt, $write);
        close $apt or $found == 0 or die "apt-cache dumpavail broke off: status $?\n";
    }
    if (!$found && open my $dpkg, '<', '/var/lib/dpkg/status') {
        _each($dpkg, $write);
        close $dpkg or die "/var/lib/dpkg/status: $!\n";
    }
    $_->flush for $packages, $depends;
    print {$out} Sql::schema($database, $INDEXES);
}

1;
