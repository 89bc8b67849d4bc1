# dbd.pl - DBD::Oracle on the double: what it read, a line of JSON per check. Its calls are OCI's older ones.
#   LD_LIBRARY_PATH=LIBDIR perl -IDBD dbd.pl //host:port/service
use strict;
use warnings;
use utf8;
use DBI;
use Digest::MD5 qw(md5_hex);
use Encode qw(encode_utf8);
use JSON::PP;
use Time::HiRes qw(time);

my $json = JSON::PP->new->utf8->canonical->allow_nonref;
$| = 1;
sub say_json { print $json->encode([@_]), "\n" }
my $db = DBI->connect("dbi:Oracle:$ARGV[0]", 'aurora', 'aurora', { RaiseError => 1, PrintError => 0, AutoCommit => 0, ora_charset => 'AL32UTF8' });
sub failure {
    my ($name, $sql, @bind) = @_;
    eval { $db->selectall_arrayref($sql, undef, @bind); 1 };
    say_json($name, ($db->err || 0) + 0);
}

$db->do(q{ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY-MM-DD HH24:MI:SS' NLS_TIMESTAMP_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF6' NLS_TIMESTAMP_TZ_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM'});
sub peak_kib { open my $in, '<', '/proc/self/status' or die $!; my ($kib) = join('', <$in>) =~ /VmHWM:\s+(\d+)/; return $kib }
sub rows_digest {
    my ($table, @numbers) = @_;
    my $s = $db->prepare("SELECT * FROM $table ORDER BY id");
    $s->execute;
    my ($n, $md5) = (0, Digest::MD5->new);
    while (my $row = $s->fetchrow_arrayref) {
        my @cells = map { $_ // '' } @$row;
        $_ += 0 for @cells[@numbers];
        $cells[1] = unpack('H*', $cells[1]) if $table eq 'longraws'; # these come as bytes
        $md5->add(encode_utf8(join('|', @cells) . "\n"));
        $n++;
    }
    say_json($table, $n, $md5->hexdigest);
}
my $before = peak_kib();
rows_digest('wide', 1, 2, 4, 5);
say_json('grown by KiB', peak_kib() - $before);
$db->{LongReadLen} = 200_000;
rows_digest($_) for qw(longs longraws);
$db->{LongReadLen} = 1_000_000;
say_json('lobs', map { [ map { defined $_ ? utf8::is_utf8($_) ? md5_hex(encode_utf8($_)) : md5_hex($_) : undef } @$_ ] }
    @{ $db->selectall_arrayref('SELECT t, nt, b FROM lobs ORDER BY id') });
say_json('bind by number', $db->selectrow_array('SELECT v FROM wide WHERE id = ?', undef, 7));
say_json('bind by name', do { my $q = $db->prepare('SELECT id FROM wide WHERE v = :v'); $q->bind_param(':v', 'row 9 äß'); $q->execute; $q->fetchrow_array });
$db->do('INSERT INTO notes (id, text) VALUES (?, ?)', undef, 10, 'gone');
$db->rollback;
say_json('rolled back', $db->selectrow_array('SELECT COUNT(*) FROM notes WHERE id = 10'));
say_json('words as names', $db->selectrow_array(q{SELECT day, EXTRACT(YEAR FROM ts), ts + INTERVAL '1' DAY FROM wide WHERE id = 1}));
failure('no table',  'SELECT * FROM nothing_here');
failure('no column', 'SELECT nope FROM wide');
failure('zero',      'SELECT 1 / (id - id) FROM wide');
say_json('numbers', map { [@$_] } @{ $db->selectall_arrayref('SELECT n FROM numbers ORDER BY id') });
say_json('dates', map { [@$_] } @{ $db->selectall_arrayref('SELECT d, ts FROM dates ORDER BY id') });

# A signal interrupts the call that runs: its handler calls cancel, which is OCIBreak.
my $slow = $db->prepare('SELECT COUNT(*) FROM wide a, wide b WHERE a.id + b.id < 0');
use POSIX ();
POSIX::sigaction(POSIX::SIGALRM(), POSIX::SigAction->new(sub { $slow->cancel }));
alarm 1;
my $from = time;
eval { $slow->execute; $slow->fetchrow_array; 1 };
alarm 0;
say_json('break', ($db->err || 0) + 0, time - $from < 5 ? 1 : 0);
say_json('alive', $db->selectrow_array('SELECT COUNT(*) FROM dual'));
$db->disconnect;
