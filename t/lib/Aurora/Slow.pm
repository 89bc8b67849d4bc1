package Aurora::Slow;

# A PostgreSQL database of datasets that take their time, and questions about what runs in it.

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Aurora::Postgres;

sub missing { return Aurora::Postgres->missing }

sub new {
    my ($class, %o) = @_;
    my $pg = Aurora::Postgres->new(%o);
    $pg->psql(<<'SQL');
CREATE TABLE regions (id int, name text);
INSERT INTO regions SELECT g, 'region ' || g FROM generate_series(1, 5) g;
CREATE VIEW sleepy AS SELECT 1 AS id FROM pg_sleep(30);
CREATE VIEW nap AS SELECT 1 AS id FROM pg_sleep(4);
CREATE VIEW drip AS SELECT g AS id, pg_sleep(0.1)::text || repeat('x', 9000) AS x FROM generate_series(1, 300) g;
CREATE VIEW halting AS SELECT g AS id, CASE WHEN g = 2000 THEN pg_sleep(30)::text ELSE repeat('x', 100) END AS x FROM generate_series(1, 4000) g;
CREATE VIEW long AS SELECT g AS id, repeat('long text ', 10) AS text FROM generate_series(1, 3000000) g;
SQL
    return bless { pg => $pg }, $class;
}

sub pg     { return $_[0]{pg} }
sub params { return $_[0]{pg}->params }

# Statements of ours on a dataset that run right now.
sub running {
    my ($self, $dataset) = @_;
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
