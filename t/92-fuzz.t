# Each fuzz target under libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer for a minute, two at a time.
# AURORA_FUZZ_SECONDS makes it shorter or longer. What is found is kept in t/fuzz/found, where the targets' own
# tests run it again. Always the same seed: a failure belongs to the change that is tested; `make fuzz` takes others.
use strict;
use warnings;
use File::Basename qw(basename dirname);
use Cwd qw(abs_path);
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/..');
my $seconds = $ENV{AURORA_FUZZ_SECONDS} // 60;
$seconds =~ /^[1-9][0-9]*$/ or die "AURORA_FUZZ_SECONDS=$seconds: whole seconds";
my @targets = sort map { basename($_, '.c') } glob "$top/t/fuzz/*.c";
plan skip_all => 'the fuzzers carry sanitizers of their own, in every build the same' if $ENV{AURORA_ASAN};
my @missing = grep { !-x "$top/build/fuzz/fuzzers/$_" } @targets;
plan skip_all => "not built: @missing (Debian: clang, libclang-rt-14-dev; then make fuzzers)" if @missing;
plan tests => scalar @targets;

chdir $top or die "$top: $!";
my (%inputs, $broken, %kept);
open(my $run, '-|', 't/fuzz/run', $seconds, 1, @targets) or die "t/fuzz/run: $!";
while (<$run>) {
    $inputs{$1} = $2 if /^ok - (\w+): (\d+) inputs in /;
    $broken = $1 if /^not ok - (\w+):/;
    $kept{$broken} = $1 if $broken && /^# (Base64: .*)/;
    /^(?:#|not ok)/ ? diag $_ : note $_;
}
close $run;
for my $target (@targets) {
    my $n = $inputs{$target} // 0;
    my @known = grep { -f } glob "$top/t/fuzz/{seeds,found}/$target/*";
    my $least = @known + ($seconds < 60 ? 0 : 100);
    cmp_ok($n, '>', $least, "$target: $n inputs in $seconds s, of which " . @known . ' are kept ones, and nothing found');
    diag "what broke it: $kept{$target}" if defined $kept{$target};
}
