package Aurora::Metrics;

# What /metrics says, as a hash from sample (name and labels, as written) to value.

use strict;
use warnings;

sub get {
    my ($server) = @_;
    return parse($server->http->get($server->base . '/metrics')->{body});
}

sub parse {
    my ($text) = @_;
    my %value;
    for my $line (split /\n/, $text // '') {
        next if $line =~ /^#/ || $line !~ /^(\S+(?:\{[^}]*\})?) (\S+)$/;
        $value{$1} = $2;
    }
    return \%value;
}

# Counters that are lower than before.
sub backwards {
    my ($before, $after) = @_;
    return grep { /(?:_total|_bucket|_sum|aurora\S*_count)(?:\{|$)/ && !/^db_/ && ($after->{$_} // 0) < $before->{$_} } sort keys %$before;
}

# Wait until a sample has a value. Returns the last value seen.
sub wait_for {
    my ($server, $sample, $value, $seconds) = @_;
    my $last;
    $server->wait_until(sub { ($last = get($server)->{$sample} // 0) == $value }, $seconds || 5);
    return $last;
}

1;
