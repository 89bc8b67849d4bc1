package Aurora::Slow;

# A database of datasets that take their time, and questions about what runs in it: PostgreSQL, or PostgreSQL behind
# the double of Oracle's client library.
#
#   for my $kind (Aurora::Slow->kinds) {                     # pgsql, oracle; or those of them in AURORA_DB
#       my $why  = Aurora::Slow->missing($kind);
#       my $slow = Aurora::Slow->new(kind => $kind);         # pgsql where nothing is said
#       Aurora::Server->start($slow->server, ...)

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Aurora::Databases;
use Aurora::Oracle;
use Aurora::Postgres;

sub kinds { return grep { $_ eq 'pgsql' || $_ eq 'oracle' } Aurora::Databases->names }

sub missing { my ($class, $kind) = @_; return Aurora::Databases->missing($kind || 'pgsql') }

sub new {
    my ($class, %o) = @_;
    my $kind = delete $o{kind} || 'pgsql';
    my $pg = ($kind eq 'oracle' ? 'Aurora::Oracle' : 'Aurora::Postgres')->new(%o);
    $pg->psql(<<'SQL');
CREATE TABLE regions (id int, name text);
INSERT INTO regions SELECT g, 'region ' || g FROM generate_series(1, 5) g;
CREATE VIEW sleepy AS SELECT 1 AS id FROM pg_sleep(30);
CREATE VIEW nap AS SELECT 1 AS id FROM pg_sleep(4);
CREATE VIEW drip AS SELECT g AS id, pg_sleep(0.1)::text || repeat('x', 9000) AS x FROM generate_series(1, 300) g;
CREATE VIEW halting AS SELECT g AS id, CASE WHEN g = 2000 THEN pg_sleep(30)::text ELSE repeat('x', 100) END AS x FROM generate_series(1, 4000) g;
CREATE VIEW long AS SELECT g AS id, repeat('long text ', 10) AS text FROM generate_series(1, 3000000) g;
SQL
    $pg->psql(<<'SQL') if $kind eq 'oracle';
DO $$ DECLARE t record; BEGIN
    FOR t IN SELECT table_name, string_agg(format(CASE data_type WHEN 'text' THEN '%I::varchar(32000) AS %I' ELSE '%I AS %I' END, column_name, upper(column_name)), ', '
            ORDER BY ordinal_position) AS columns FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name IN ('regions', 'sleepy', 'nap', 'drip', 'halting', 'long') GROUP BY table_name LOOP
        EXECUTE format('CREATE VIEW "AURORA".%I AS SELECT %s FROM public.%I', upper(t.table_name), t.columns, t.table_name);
    END LOOP;
END $$;
SQL
    return bless { kind => $kind, pg => $pg }, $class;
}

sub kind   { return $_[0]{kind} }
sub pg     { return $_[0]{pg} }
sub params { my ($self) = @_; return $self->{pg}->params($self->{kind} eq 'oracle' ? (libdir => 1) : ()) }
sub server { my ($self) = @_; return (driver => $self->{kind}, params => $self->params) }

# Statements of ours on a dataset that run right now.
sub running {
    my ($self, $dataset) = @_;
    # the double fetches from cursors: what they read is locked
    return 0 + $self->{pg}->value(qq{SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE usename = 'aurora'
        AND state = 'active' AND l.relation = '"AURORA"."\U$dataset\E"'::regclass}) if $self->{kind} eq 'oracle';
    return 0 + $self->{pg}->value(qq{SELECT count(*) FROM pg_stat_activity WHERE usename = 'aurora'
        AND state = 'active' AND query ILIKE '%"$dataset"%'});
}

# Wait until so many run. Returns whether it came to that.
sub until_running {
    my ($self, $dataset, $n, $seconds) = @_;
    my $until = time + ($seconds || 10) * Aurora::Server::patience();
    while (1) {
        my $now = $self->running($dataset);
        return 1 if $now == $n;
        return 0 if time > $until;
        sleep 0.03;
    }
}

# Seconds until none runs any more, at most ten.
sub gone_after {
    my ($self, $dataset, $from) = @_;
    $self->until_running($dataset, 0, 10);
    return time - ($from // time);
}

sub sessions { return scalar $_[0]{pg}->sessions }

1;
