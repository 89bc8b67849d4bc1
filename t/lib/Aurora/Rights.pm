package Aurora::Rights;

# Three users of different roles, what each may see, and a table of attempts to see more.
#
# Every attempt is answered twice: by a server whose catalogue hides things from the user, and by one whose database
# and catalogue truly do not have them (reference). The answers must be the same. So that an attempt can fail, each names
# the right it probes; without that right in the catalogue (catalog(without => ...)) the answers must differ.

use strict;
use warnings;
use utf8;

use Digest::SHA qw(sha1_base64);
use File::Temp ();
use MIME::Base64 qw(encode_base64);

use Aurora::Data ();
use Aurora::HTTP ();
use Aurora::JSON ();
use Aurora::Server ();

our @USERS = qw(ann bob eve);
our $REPORTS = 0;    # does the catalogue have reports as well?
our @RIGHTS = ('roles of PAY', 'roles of CLIENTS.SSN', 'roles of CLIENTS.SCORE', 'roles of LOADS.LOAD_ID', 'roles of LOADS.KIND', 'roles of STOCK.LOAD_ID',
    'roles of SHIFTS', 'roles of MY_SHIFTS.PLACE', 'roles of all of CABLES',
    'row_filter of ACCOUNTS', 'row_filter of NEWEST', 'row_filter of NOTES', 'row_filter of WIRES', 'row_filter of MY_SHIFTS');

# --- data --------------------------------------------------------------------------------------

our $TABLES = <<'SQL';
CREATE TABLE SALARIES (ID INTEGER PRIMARY KEY, NAME VARCHAR(20), SALARY INTEGER, LOAD_ID INTEGER);
INSERT INTO SALARIES VALUES (1, 'Ann', 9000, 1), (2, 'Bob', 8000, 1), (3, 'Cid', 7000, 2);
CREATE TABLE CLIENTS (ID INTEGER PRIMARY KEY, NAME VARCHAR(20), REGION VARCHAR(10), SSN VARCHAR(11), SCORE INTEGER);
INSERT INTO CLIENTS VALUES (1, 'Acme', 'North', '111-11-1111', 3), (2, 'Bolt', 'South', '333-33-3333', 1),
 (3, 'Cone', 'North', NULL, 2), (4, 'Dune', NULL, '222-22-2222', NULL), (5, 'Echo', 'South', '444-44-4444', 9);
CREATE TABLE ACCOUNTS (ID INTEGER PRIMARY KEY, CLIENT_ID INTEGER, BRANCH VARCHAR(10), AMOUNT DECIMAL(12,2),
 LOAD_ID INTEGER, LOAD_TYPE VARCHAR(10), AS_OF DATE);
INSERT INTO ACCOUNTS VALUES (1, 1, 'Main', 10, 1, 'Daily', '2024-01-01'), (2, 2, 'Airport', 20, 1, 'Daily', '2024-01-01'),
 (3, 3, 'Vault', 999.5, 7, 'Secret', '2030-12-31'), (4, 1, 'Airport', 40, 2, 'Monthly', '2024-02-01'),
 (5, 5, NULL, 50, 2, 'Daily', '1950-01-01'), (6, 4, 'Main', 60, 3, 'Daily', '2024-03-01'),
 (7, 2, 'Airport', 20, 2, 'Daily', '2024-02-02');
CREATE TABLE NOTES (ID INTEGER PRIMARY KEY, OWNER VARCHAR(10), BODY VARCHAR(20), PARENT INTEGER);
INSERT INTO NOTES VALUES (1, 'ann', 'buy', NULL), (2, 'bob', 'sell', 1), (3, 'eve', 'wait', 1), (4, NULL, 'lost', 2),
 (5, 'bob', 'hold', 2), (6, 'Bob', 'fold', 3);
CREATE TABLE WIRES (ID INTEGER PRIMARY KEY, SSN VARCHAR(11), SCORE INTEGER);
INSERT INTO WIRES VALUES (1, '111-11-1111', 3), (2, '999-99-9999', 99), (3, NULL, 2), (4, '222-22-2222', NULL);
CREATE TABLE LOADS (ID INTEGER PRIMARY KEY, N INTEGER, LOAD_ID INTEGER, AS_OF DATE, KIND VARCHAR(5));
INSERT INTO LOADS VALUES (1, 5, 10, '2024-01-01', 'a'), (2, 6, 20, '2024-02-01', 'b'), (3, 7, 30, '2024-03-01', 'a');
CREATE TABLE STOCK (ID INTEGER PRIMARY KEY, N INTEGER, LOAD_ID INTEGER);
INSERT INTO STOCK VALUES (1, 5, 1), (2, 6, 2), (3, 7, 2);
CREATE TABLE SHIFTS (PLACE VARCHAR(10), ID INTEGER PRIMARY KEY, N INTEGER);
INSERT INTO SHIFTS VALUES ('Main', 1, 10), ('Airport', 2, 20), ('Main', 3, 30);
SQL

# What there is for one user and nothing else, as SQL over a copy.
my %ONLY = (
    ann => <<'SQL',
DELETE FROM ACCOUNTS WHERE BRANCH IS NULL OR BRANCH NOT IN ('Main', 'Airport');
DELETE FROM NOTES WHERE OWNER IS NULL OR OWNER <> 'ann';
DELETE FROM WIRES WHERE SCORE IS NULL OR SCORE >= 50;
SQL
    bob => <<'SQL',
DROP TABLE SALARIES;
ALTER TABLE CLIENTS DROP COLUMN SSN;
ALTER TABLE LOADS DROP COLUMN LOAD_ID;
ALTER TABLE LOADS DROP COLUMN KIND;
DELETE FROM STOCK WHERE LOAD_ID < 2;
ALTER TABLE STOCK DROP COLUMN LOAD_ID;
DELETE FROM SHIFTS WHERE PLACE <> 'Airport';
ALTER TABLE SHIFTS DROP COLUMN PLACE;
DELETE FROM ACCOUNTS WHERE BRANCH IS NULL OR BRANCH <> 'Airport';
DELETE FROM NOTES WHERE OWNER IS NULL OR OWNER <> 'bob';
DELETE FROM WIRES WHERE SCORE IS NULL OR SCORE >= 50;
SQL
    eve => <<'SQL',
DROP TABLE SALARIES;
ALTER TABLE CLIENTS DROP COLUMN SSN;
ALTER TABLE CLIENTS DROP COLUMN SCORE;
ALTER TABLE LOADS DROP COLUMN LOAD_ID;
ALTER TABLE LOADS DROP COLUMN KIND;
DELETE FROM STOCK WHERE LOAD_ID < 2;
ALTER TABLE STOCK DROP COLUMN LOAD_ID;
DELETE FROM SHIFTS;
ALTER TABLE SHIFTS DROP COLUMN PLACE;
DELETE FROM ACCOUNTS;
DELETE FROM NOTES WHERE OWNER IS NULL OR OWNER <> 'eve';
DELETE FROM WIRES WHERE SCORE IS NULL OR SCORE >= 50;
SQL
);

sub only { my ($user) = @_; return $ONLY{$user} }

# --- catalogues --------------------------------------------------------------------------------

our $PARTITION = '"partition": {"load_id_column": "LOAD_ID", "load_type_column": "KIND", "date_column": "AS_OF", "supported_types": ["a", "b"], "default": "latest"}';

sub _roles { my ($on, @roles) = @_; return $on ? ', "roles": [' . join(', ', map {qq{"$_"}} @roles) . ']' : '' }

sub _column { my ($name, $display, $roles) = @_; return qq{"$name": {"display_name": "$display"$roles}} }

# The catalogue with all its rights, or without those in `without`.
sub catalog {
    my (%o) = @_;
    my %on = map { $_ => 1 } @RIGHTS;
    delete @on{ @{ $o{without} || [] } };
    my $ssn   = _roles($on{'roles of CLIENTS.SSN'}, 'hr');
    my $score = _roles($on{'roles of CLIENTS.SCORE'}, 'hr', 'sales');
    my $rows  = sub { my ($of, $rule) = @_; return $on{"row_filter of $of"} ? qq{, "row_filter": {"logic": "AND", "conditions": [$rule]}} : '' };
    return '{"datasets": {' . join(",\n", '"PAY": {"source": "SALARIES", "display_name": "Salaries, secret"' . _roles($on{'roles of PAY'}, 'hr', 'board') . '}',
        _clients(_column('SSN', 'Insurance no.', $ssn) . ', ' . _column('SCORE', 'Score', $score), 'SSN', 'SCORE'),
        '"LOADS": {"columns": {"ID": {}, "N": {}, ' . _column('LOAD_ID', 'Load', _roles($on{'roles of LOADS.LOAD_ID'}, 'hr')) . ', "AS_OF": {}, '
        . _column('KIND', 'Kind', _roles($on{'roles of LOADS.KIND'}, 'hr')) . '}, ' . $PARTITION . '}',
        _stock(_column('LOAD_ID', 'Load', _roles($on{'roles of STOCK.LOAD_ID'}, 'hr'))),
        _cables(_roles($on{'roles of all of CABLES'}, 'hr')),
        '"SHIFTS": {"display_name": "Shifts of all"' . _roles($on{'roles of SHIFTS'}, 'hr') . '}',
        _my_shifts(_column('PLACE', 'Place', _roles($on{'roles of MY_SHIFTS.PLACE'}, 'hr')), $rows->('MY_SHIFTS', '{"column": "PLACE", "operator": "in", "value": {"expr": "%{reqenv:AURORA_BRANCHES}"}}')),
        _accounts(map { $rows->($_, '{"column": "BRANCH", "operator": "in", "value": {"expr": "%{reqenv:AURORA_BRANCHES}"}}') } qw(ACCOUNTS NEWEST)),
        '"NOTES": {"display_name": "Notes"' . $rows->('NOTES', '{"column": "OWNER", "operator": "eq", "value": {"expr": "%{REMOTE_USER}"}}') . '}',
        '"WIRES": {"display_name": "Wires"' . $rows->('WIRES', '{"column": "SCORE", "operator": "lt", "value": 50}') . '}') . '}'
        . _reports(named => _roles($on{'roles of reports'}, 'hr'), pay => '', ssn => '', accounts => '', newest => '') . "}\n";
}

# Reports: one with roles of its own, two of what not everybody may see, one of rows. Only those named.
sub _reports {
    my (%roles) = @_;
    my %query = (named => '{"dataset": "CLIENTS", "columns": ["ID"]}', pay => '{"dataset": "PAY", "columns": ["SALARY"], "sorting": [{"column": "ID"}]}',
        ssn => '{"dataset": "CLIENTS", "columns": ["SSN"], "sorting": [{"column": "ID"}]}',
        accounts => '{"dataset": "ACCOUNTS", "columns": ["ID", "AMOUNT"], "sorting": [{"column": "ID"}]}',
        newest => '{"dataset": "NEWEST", "columns": ["ID", "AS_OF"], "sorting": [{"column": "ID"}]}');
    return '' unless $REPORTS;
    return ', "reports": {' . join(', ', map {qq("$_": {"display_name": "Report $_"$roles{$_}, "query": $query{$_}})} sort keys %roles) . '}';
}

sub _clients {
    my ($secret, @sorting) = @_;
    return '"CLIENTS": {"display_name": "Clients", "columns": {"ID": {}, "NAME": {"display_name": "Name"}, "REGION": {}'
        . ($secret ? ", $secret" : '') . '}, "sorting": [' . join(', ', map {qq{{"column": "$_", "direction": "DESC"}}} @sorting, 'ID') . ']}';
}

# The newest load of a table, of which not everybody may know that it has loads.
sub _stock {
    my ($load) = @_;
    return '"STOCK": {"columns": {"ID": {}, "N": {}' . ($load ? qq(, $load}, "partition": {"load_id_column": "LOAD_ID", "default": "latest"}}) : '}}');
}

# Of which one may see every column or none.
sub _cables {
    my ($roles) = @_;
    return '"CABLES": {"source": "STOCK", "display_name": "Cables", "columns": {' . _column('ID', 'Id', $roles) . ', ' . _column('N', 'N', $roles) . '}}';
}

# The same rows as SHIFTS, which it is found as where there is no SHIFTS. The filter goes by a column that roles hide.
sub _my_shifts {
    my ($place, $rows) = @_;
    return '"MY_SHIFTS": {"source": "SHIFTS", "display_name": "My shifts", "columns": {' . ($place ? "$place, " : '') . qq("ID": {}, "N": {}}$rows});
}

# BRANCH, which the filter needs, is nobody's to see. NEWEST is the same with a default partition: the newest of what
# one may see.
sub _accounts {
    my ($rows, $newest) = @_;
    my $columns = '"columns": {"ID": {}, "CLIENT_ID": {}, "AMOUNT": {"format": "0.00"}, "LOAD_ID": {}, "LOAD_TYPE": {}, "AS_OF": {}}';
    my $part = '"load_id_column": "LOAD_ID", "load_type_column": "LOAD_TYPE", "date_column": "AS_OF"';
    return qq("ACCOUNTS": {"display_name": "Accounts", $columns, "partition": {$part}$rows},\n)
        . qq("NEWEST": {"source": "ACCOUNTS", "display_name": "Newest", $columns, "partition": {$part, "default": "latest"}$newest});
}

# The catalogue of a database that has no more than the user may see: written by hand, without roles or filters.
sub reference {
    my ($user) = @_;
    my ($ssn, $score) = (_column('SSN', 'Insurance no.', ''), _column('SCORE', 'Score', ''));
    my %clients = (ann => _clients("$ssn, $score", 'SSN', 'SCORE'), bob => _clients($score, 'SCORE'), eve => _clients(''));
    my $loads = $user eq 'ann'
        ? '"LOADS": {"columns": {"ID": {}, "N": {}, "LOAD_ID": {"display_name": "Load"}, "AS_OF": {}, "KIND": {"display_name": "Kind"}}, ' . "$PARTITION}"
        : '"LOADS": {"columns": {"ID": {}, "N": {}, "AS_OF": {}}, "partition": {"date_column": "AS_OF", "default": "latest"}}';
    return '{"datasets": {' . join(",\n", ($user eq 'ann' ? '"PAY": {"source": "SALARIES", "display_name": "Salaries, secret"}' : ()),
        ($user eq 'ann' ? _cables('') : ()), ($user eq 'ann' ? '"SHIFTS": {"display_name": "Shifts of all"}' : ()), _my_shifts($user eq 'ann' ? _column('PLACE', 'Place', '') : '', ''),
        $clients{$user}, $loads, _stock($user eq 'ann' ? _column('LOAD_ID', 'Load', '') : ''), _accounts('', ''), '"NOTES": {"display_name": "Notes"}', '"WIRES": {"display_name": "Wires"}') . '}'
        . _reports(accounts => '', newest => '', $user eq 'ann' ? (named => '', pay => '', ssn => '') : ()) . "}\n";
}

# --- the server --------------------------------------------------------------------------------

sub write_file {
    my ($path, $text) = @_;
    open my $out, '>:raw', $path or die "$path: $!";
    print {$out} $text;
    close $out or die "$path: $!";
    chmod 0644, $path;
    return $path;
}

# Basic authentication; roles and branches come from lists by user, as docs/catalogue.md has it.
sub location {
    my ($folder) = @_;
    write_file("$folder/passwords", join '', map { "$_:{SHA}" . sha1_base64("$_-pw") . "=\n" } @USERS, 'ops');
    write_file("$folder/roles.txt", "ann hr,finance\nbob sales\nops ops\n");
    write_file("$folder/branches.txt", "ann Main,Airport\nbob Airport\n");
    return (modules => [qw(auth_basic authn_file authz_user rewrite)], no_location => 1, extra => <<"CONF");
RewriteEngine On
RewriteMap roles txt:$folder/roles.txt
RewriteMap branches txt:$folder/branches.txt
<Location "/aurora">
    SetHandler aurora
    AuthType Basic
    AuthName reports
    AuthUserFile $folder/passwords
    Require valid-user
    RewriteEngine On
    RewriteCond \${roles:%{REMOTE_USER}} (.+)
    RewriteRule ^ - [E=AURORA_ROLES:%1]
    RewriteCond \${branches:%{REMOTE_USER}} (.+)
    RewriteRule ^ - [E=AURORA_BRANCHES:%1]
    AuroraRoles "%{reqenv:AURORA_ROLES}"
    AuroraOperators ops
    AuroraPreviewMaxRows 50
</Location>
CONF
}

sub who { my ($user) = @_; return (Authorization => 'Basic ' . encode_base64("$user:$user-pw", '')) }

# --- attempts ----------------------------------------------------------------------------------

sub get  { my ($path) = @_; return { path => "/api/v1/$path" } }
sub post { my ($path, %body) = @_; return { path => "/api/v1/query/$path", body => \%body } }
sub view { return post('preview', columns => ['ID'], @_) }

sub rule  { my ($column, $operator, @value) = @_; return { column => $column, operator => $operator, @value ? (value => $value[0]) : () } }
sub where { return filters => { logic => 'AND', conditions => [@_] } }
sub sorted { return sorting => [ map { { column => $_ } } @_ ] }

sub joined {
    my ($right, $on, %o) = @_;
    my ($left, $left_column, $right_column) = @$on;
    return { left_dataset => $left, right_dataset => $right, on => [ { left_column => $left_column, right_column => $right_column } ],
        join_type => 'inner', %o };
}

# Attempts to address a dataset of that name.
sub _dataset {
    my ($n) = @_;
    my $in = [ 'CLIENTS', 'ID', 'ID' ];
    return (
        'its columns'             => get("datasets/$n/columns"),
        'its columns, by HEAD'    => { path => "/api/v1/datasets/$n/columns", method => 'HEAD' },
        'a preview'               => post('preview', dataset => $n),
        'a preview of one column' => view(dataset => $n),
        'a bad filter on it'      => view(dataset => $n, where(rule('SALARY', 'gt', 'x'))),
        'a column it lacks'       => view(dataset => $n, columns => ['NOPE']),
        'its count'               => post('preview', dataset => $n, aggregations => [ { column => '*', function => 'count' } ]),
        'an export'               => post('export?format=csv', dataset => $n),
        'an export as a workbook' => post('export?format=xlsx&about=1', dataset => $n),
        'an estimate'             => post('estimate', dataset => $n),
        'a join'                  => view(dataset => 'CLIENTS', joins => [ joined($n, $in) ]),
        'an outer join'           => view(dataset => 'CLIENTS', joins => [ joined($n, $in, join_type => 'left', alias => 'A') ]),
        'a join from it'          => view(dataset => 'CLIENTS', joins => [ joined('NOTES', [ $n, 'ID', 'ID' ]) ]),
        'a join on another column' => view(dataset => 'CLIENTS', joins => [ joined($n, [ 'CLIENTS', 'ID', 'SALARY' ]) ]),
        'the second of two joins' => view(dataset => 'CLIENTS', joins => [ joined('NOTES', $in), joined($n, $in) ]),
        'its partitions'          => view(dataset => $n, partition_filters => { $n => [1] }),
    );
}

# Attempts that name it where it is no dataset of the request: the answer is the same whoever asks.
sub _beside {
    my ($n) = @_;
    return (
        'a qualified column'   => view(dataset => 'CLIENTS', columns => ["$n.ID"]),
        'a qualified filter'   => view(dataset => 'CLIENTS', where(rule("$n.SALARY", 'is_null'))),
        'a qualified sorting'  => view(dataset => 'CLIENTS', sorted("$n.SALARY")),
        'a partition filter'   => view(dataset => 'CLIENTS', partition_filters => { $n => [1] }),
        'a qualified join'     => view(dataset => 'CLIENTS', joins => [ joined('NOTES', [ 'CLIENTS', "$n.ID", 'ID' ]) ]),
        'a path beside it'     => get("datasets/$n"),
    );
}

# Attempts to use a column of CLIENTS of that name; text or number, as it is.
sub _column_of_clients {
    my ($c, $value) = @_;
    my $total = sub { return post('preview', dataset => 'CLIENTS', aggregations => [ { column => $c, function => $_[0], output_name => 'T' } ]) };
    my $notes = joined('NOTES', [ 'CLIENTS', 'ID', 'ID' ]);
    return (
        'selected'             => view(dataset => 'CLIENTS', columns => [$c]),
        'selected with others' => view(dataset => 'CLIENTS', columns => [ 'ID', $c ]),
        'with its dataset'     => view(dataset => 'CLIENTS', columns => ["CLIENTS.$c"]),
        'with an alias'        => view(dataset => 'NOTES', columns => ["A.$c"], joins => [ joined('CLIENTS', [ 'NOTES', 'ID', 'ID' ], alias => 'A') ]),
        'from a joined one'    => view(dataset => 'NOTES', columns => [$c], joins => [ joined('CLIENTS', [ 'NOTES', 'ID', 'ID' ]) ]),
        'exported'             => post('export?format=csv', dataset => 'CLIENTS', columns => [$c]),
        'in a workbook'        => post('export?format=xlsx', dataset => 'CLIENTS', columns => [$c]),
        'estimated'            => post('estimate', dataset => 'CLIENTS', columns => [$c]),
        'filtered'             => view(dataset => 'CLIENTS', where(rule($c, 'eq', $value))),
        'filtered for NULL'    => view(dataset => 'CLIENTS', where(rule($c, 'is_null'))),
        'filtered in a group'  => view(dataset => 'CLIENTS', where({ logic => 'OR', conditions => [ rule('ID', 'gt', 0), rule($c, 'is_not_null') ] })),
        'filtered, a list'     => view(dataset => 'CLIENTS', where(rule($c, 'in', [$value]))),
        'filtered by a part'   => view(dataset => 'CLIENTS', where(rule($c, 'contains', '1'))),
        'with no such value'   => view(dataset => 'CLIENTS', where(rule($c, 'gt', JSON::PP::true()))),
        'exported, filtered'   => post('export?format=csv', dataset => 'CLIENTS', where(rule($c, 'neq', $value))),
        'sorted by'            => view(dataset => 'CLIENTS', sorted($c)),
        'grouped by'           => post('preview', dataset => 'CLIENTS', group_by => [$c]),
        'counted'              => $total->('count'),
        'counted once each'    => $total->('distinct_count'),
        'its greatest'         => $total->('max'),
        'its least'            => $total->('min'),
        'its sum'              => $total->('sum'),
        'under its own name'   => post('preview', dataset => 'CLIENTS', aggregations => [ { column => $c, function => 'max', output_name => $c } ]),
        'joined on, left'      => view(dataset => 'CLIENTS', joins => [ joined('WIRES', [ 'CLIENTS', $c, $c ], join_type => 'left') ]),
        'joined on, right'     => view(dataset => 'WIRES', joins => [ joined('CLIENTS', [ 'WIRES', $c, $c ]) ]),
        'joined on, qualified' => view(dataset => 'CLIENTS', joins => [ joined('WIRES', [ 'CLIENTS', "CLIENTS.$c", 'ID' ]) ]),
        'of one of two joined' => view(dataset => 'NOTES', columns => [$c], joins => [ joined('CLIENTS', [ 'NOTES', 'ID', 'ID' ]), joined('WIRES', [ 'NOTES', 'ID', 'ID' ]) ]),
        'sorted in a join'     => view(dataset => 'CLIENTS', joins => [$notes], sorted("CLIENTS.$c")),
    );
}

# Uses of ACCOUNTS and NOTES in which a row too many would show.
sub _rows {
    my $count = [ { column => '*', function => 'count', output_name => 'N' }, { column => 'AMOUNT', function => 'sum', output_name => 'S' } ];
    my $order = [ { column => 'ID' } ];
    my $join = sub { my ($type, @more) = @_; return (joins => [ joined('ACCOUNTS', [ 'CLIENTS', 'ID', 'CLIENT_ID' ], join_type => $type) ],
            columns => [ 'CLIENTS.ID', 'ACCOUNTS.ID', 'AMOUNT' ], sorted('CLIENTS.ID', 'ACCOUNTS.ID'), @more) };
    return (
        'all of them'             => post('preview', dataset => 'ACCOUNTS', columns => [ 'ID', 'AMOUNT', 'AS_OF' ], sorting => $order),
        'every column'            => post('preview', dataset => 'ACCOUNTS', sorting => $order),
        'another letter case'     => post('preview', dataset => 'accounts', columns => ['accounts.id'], sorting => $order),
        'counted behind a page'   => view(dataset => 'ACCOUNTS', limit => 1, sorting => $order),
        'beyond the last'         => view(dataset => 'ACCOUNTS', offset => 40, sorting => $order),
        'as arrays'               => view(dataset => 'ACCOUNTS', shape => 'arrays', sorting => $order),
        'totals'                  => post('preview', dataset => 'ACCOUNTS', aggregations => $count),
        'the greatest'            => post('preview', dataset => 'ACCOUNTS', aggregations => [ map { { column => $_, function => 'max' } } qw(AMOUNT AS_OF LOAD_ID) ]),
        'the least'               => post('preview', dataset => 'ACCOUNTS', aggregations => [ { column => 'AS_OF', function => 'min' }, { column => 'LOAD_TYPE', function => 'distinct_count' } ]),
        'groups'                  => post('preview', dataset => 'ACCOUNTS', group_by => ['LOAD_TYPE'], aggregations => $count, sorting => [ { column => 'LOAD_TYPE' } ]),
        'groups of that many'     => post('preview', dataset => 'ACCOUNTS', group_by => ['LOAD_ID'], aggregations => $count, sorting => [ { column => 'LOAD_ID' } ], where(rule('N', 'gte', 1), rule('S', 'gt', 0))),
        'looked for'              => view(dataset => 'ACCOUNTS', where(rule('AMOUNT', 'eq', '999.50'))),
        'looked for in a range'   => view(dataset => 'ACCOUNTS', where(rule('AMOUNT', 'between', '900,1000')), sorting => $order),
        'looked for in an OR'     => view(dataset => 'ACCOUNTS', filters => { logic => 'OR', conditions => [ rule('ID', 'gt', 0), rule('ID', 'lte', 0), rule('ID', 'is_null') ] }, sorting => $order),
        'by a negation'           => view(dataset => 'ACCOUNTS', where(rule('LOAD_TYPE', 'neq', 'Daily')), sorting => $order),
        'sorted, the first'       => view(dataset => 'ACCOUNTS', sorting => [ { column => 'AMOUNT', direction => 'DESC' } ], limit => 1),
        'joined, inner'           => post('preview', dataset => 'CLIENTS', $join->('inner')),
        'joined, left'            => post('preview', dataset => 'CLIENTS', $join->('left')),
        'joined, right'           => post('preview', dataset => 'CLIENTS', $join->('right')),
        'joined, outer'           => post('preview', dataset => 'CLIENTS', $join->('outer')),
        'those without a partner' => post('preview', dataset => 'CLIENTS', $join->('left', where(rule('ACCOUNTS.ID', 'is_null')))),
        'totals of a join'        => post('preview', dataset => 'CLIENTS', joins => [ joined('ACCOUNTS', [ 'CLIENTS', 'ID', 'CLIENT_ID' ], join_type => 'left') ],
            group_by => ['CLIENTS.ID'], aggregations => $count, sorting => [ { column => 'CLIENTS.ID' } ]),
        'joined from'             => post('preview', dataset => 'ACCOUNTS', columns => [ 'ID', 'NAME' ], joins => [ joined('CLIENTS', [ 'ACCOUNTS', 'CLIENT_ID', 'ID' ], join_type => 'right') ], sorting => [ map { { column => $_ } } 'ACCOUNTS.ID', 'CLIENTS.ID' ]),
        'joined to itself'        => post('preview', dataset => 'ACCOUNTS', columns => [ 'ID', 'ACCOUNTS_2.ID' ], joins => [ joined('ACCOUNTS', [ 'ACCOUNTS', 'LOAD_ID', 'LOAD_ID' ], join_type => 'left') ], sorting => [ map { { column => $_ } } 'ID', 'ACCOUNTS_2.ID' ]),
        'joined by an alias'      => post('preview', dataset => 'CLIENTS', columns => [ 'CLIENTS.ID', 'A.ID', 'B.ID' ],
            joins => [ joined('ACCOUNTS', [ 'CLIENTS', 'ID', 'CLIENT_ID' ], alias => 'A', join_type => 'left'), joined('ACCOUNTS', [ 'A', 'LOAD_ID', 'LOAD_ID' ], alias => 'B', join_type => 'left') ],
            sorting => [ map { { column => $_ } } 'CLIENTS.ID', 'A.ID', 'B.ID' ]),
        'exported'                => post('export?format=csv', dataset => 'ACCOUNTS', sorting => $order),
        'exported, joined'        => post('export?format=csv', dataset => 'CLIENTS', $join->('outer')),
        'in a workbook'           => post('export?format=xlsx', dataset => 'ACCOUNTS', sorting => $order),
        'in one that tells'       => post('export?format=xlsx&about=1', dataset => 'ACCOUNTS', sorting => $order),
        'partition values'        => get('datasets/ACCOUNTS/columns'),
        'a partition'             => view(dataset => 'ACCOUNTS', partition_filters => { ACCOUNTS => [ 1, 2, 7 ] }, sorting => $order),
        'a load type'             => view(dataset => 'ACCOUNTS', partition_load_type => 'secret', sorting => $order),
        'a partition of a join'   => post('preview', dataset => 'CLIENTS', $join->('left'), partition_filters => { ACCOUNTS => [ 2, 7 ] }),
    );
}

sub _notes {
    my $order = [ { column => 'ID' } ];
    return (
        'all of them'      => view(dataset => 'NOTES', columns => [ 'ID', 'BODY' ], sorting => $order),
        'of another'       => view(dataset => 'NOTES', where(rule('OWNER', 'eq', 'ann')), columns => [ 'ID', 'OWNER' ], sorting => $order),
        'of all but one'   => view(dataset => 'NOTES', where(rule('OWNER', 'neq', 'zoe')), sorting => $order),
        'in any case'      => view(dataset => 'NOTES', where({ %{ rule('OWNER', 'starts_with', 'B') }, ignore_case => JSON::PP::true() }), sorting => $order),
        'of nobody'        => view(dataset => 'NOTES', where(rule('OWNER', 'is_null'))),
        'owners'           => post('preview', dataset => 'NOTES', group_by => ['OWNER'], sorting => [ { column => 'OWNER' } ]),
        'answers to them'  => post('preview', dataset => 'NOTES', columns => [ 'ID', 'P.BODY' ], joins => [ joined('NOTES', [ 'NOTES', 'PARENT', 'ID' ], alias => 'P', join_type => 'outer') ], sorting => [ map { { column => $_ } } 'ID', 'P.ID' ]),
        'exported'         => post('export?format=csv', dataset => 'notes', sorting => $order),
    );
}

sub _newest {
    my $order = [ { column => 'ID' } ];
    return (
        'by default'     => view(dataset => 'NEWEST', columns => [ 'ID', 'AS_OF' ], sorting => $order),
        'its total'      => post('preview', dataset => 'NEWEST', aggregations => [ { column => 'AMOUNT', function => 'sum' }, { column => 'AS_OF', function => 'max' } ]),
        'in a join'      => post('preview', dataset => 'NOTES', columns => [ 'NOTES.ID', 'NEWEST.ID' ], joins => [ joined('NEWEST', [ 'NOTES', 'ID', 'ID' ], join_type => 'outer') ], sorting => [ map { { column => $_ } } 'NOTES.ID', 'NEWEST.ID' ]),
        'exported'       => post('export?format=csv', dataset => 'NEWEST', sorting => $order),
        'in a workbook'  => post('export?format=xlsx&about=1', dataset => 'NEWEST', sorting => $order),
        'its partitions' => get('datasets/NEWEST/columns'),
    );
}

sub _wires {
    my $order = [ { column => 'ID' } ];
    return (
        'all of them' => view(dataset => 'WIRES', columns => [ 'ID', 'SCORE' ], sorting => $order),
        'the greatest' => post('preview', dataset => 'WIRES', aggregations => [ { column => 'SCORE', function => 'max' } ]),
        'joined' => post('preview', dataset => 'NOTES', columns => [ 'NOTES.ID', 'WIRES.ID' ], joins => [ joined('WIRES', [ 'NOTES', 'ID', 'ID' ], join_type => 'outer') ], sorting => [ map { { column => $_ } } 'NOTES.ID', 'WIRES.ID' ]),
    );
}

sub _loads {
    return (
        'its partition settings' => get('datasets/LOADS/columns'),
        'a partition filter'     => view(dataset => 'LOADS', partition_filters => { LOADS => [10] }),
        'selected'               => view(dataset => 'LOADS', columns => ['LOAD_ID']),
        'every column'           => post('preview', dataset => 'LOADS'),
    );
}

sub _kinds {
    my $order = [ { column => 'ID' } ];
    return (
        'its partition settings' => get('datasets/LOADS/columns'),
        'a load type'            => view(dataset => 'LOADS', partition_load_type => 'B', sorting => $order),
        'another'                => view(dataset => 'LOADS', partition_load_type => 'zz', sorting => $order),
        'a load type in a join'  => view(dataset => 'CLIENTS', partition_load_type => 'b', joins => [ joined('LOADS', [ 'CLIENTS', 'ID', 'ID' ]) ]),
        'selected'               => view(dataset => 'LOADS', columns => ['KIND']),
    );
}

sub _stocks {
    return (
        'its partition settings' => get('datasets/STOCK/columns'),
        'a partition filter'     => view(dataset => 'STOCK', partition_filters => { STOCK => [1] }),
        'a filter on it'         => view(dataset => 'STOCK', where(rule('LOAD_ID', 'lt', 2))),
        'every column'           => post('preview', dataset => 'STOCK', sorting => [ { column => 'ID' } ]),
        'in a workbook'          => post('export?format=xlsx&about=1', dataset => 'STOCK', sorting => [ { column => 'ID' } ]),
        'estimated'              => post('estimate', dataset => 'STOCK'),
    );
}

# A hidden dataset is no obstacle to a visible one of the same source, which requests may call by that name.
sub _shifts {
    return (
        'by the name of its source' => view(dataset => 'SHIFTS', columns => [ 'ID', 'SHIFTS.N' ], sorting => [ { column => 'ID' } ]),
        'its columns'  => get('datasets/shifts/columns'),
        'joined'       => view(dataset => 'NOTES', columns => [ 'NOTES.ID', 'SHIFTS.N' ], joins => [ joined('SHIFTS', [ 'NOTES', 'ID', 'ID' ], join_type => 'right') ], sorted('SHIFTS.ID')),
        'exported'     => post('export?format=xlsx&about=1', dataset => 'SHIFTS', sorting => [ { column => 'ID' } ]),
    );
}

sub _all_cables {
    my ($n) = @_;
    return (
        'its columns'     => get("datasets/$n/columns"),
        'a preview'       => post('preview', dataset => $n),
        'one column'      => view(dataset => $n),
        'its count'       => post('preview', dataset => $n, aggregations => [ { column => '*', function => 'count' } ]),
        'a count in a join' => post('preview', dataset => 'NOTES', aggregations => [ { column => '*', function => 'count' } ], joins => [ joined($n, [ 'NOTES', 'ID', 'ID' ]) ]),
        'an export'       => post('export?format=csv', dataset => $n),
    );
}

sub _my_places {
    return (
        'selected'       => view(dataset => 'MY_SHIFTS', columns => ['PLACE']),
        'filtered'       => view(dataset => 'MY_SHIFTS', where(rule('PLACE', 'eq', 'Airport'))),
        'the columns'    => get('datasets/MY_SHIFTS/columns'),
    );
}

sub _my_rows {
    my $order = [ { column => 'ID' } ];
    return (
        'all of them'    => view(dataset => 'MY_SHIFTS', columns => [ 'ID', 'N' ], sorting => $order),
        'their sum'      => post('preview', dataset => 'MY_SHIFTS', aggregations => [ { column => 'N', function => 'sum' } ]),
        'joined'         => post('preview', dataset => 'NOTES', columns => [ 'NOTES.ID', 'MY_SHIFTS.ID' ], joins => [ joined('MY_SHIFTS', [ 'NOTES', 'ID', 'ID' ], join_type => 'outer') ], sorting => [ map { { column => $_ } } 'NOTES.ID', 'MY_SHIFTS.ID' ]),
    );
}

# Attempts at a report of that name.
sub _report {
    my ($n) = @_;
    return (
        'its preview'  => get("reports/$n"),
        'by HEAD'      => { path => "/api/v1/reports/$n", method => 'HEAD' },
        'with a wrong parameter' => get("reports/$n?nope=1"),
        'as a file'    => get("reports/$n.csv"),
        'as a workbook' => get("reports/$n.xlsx"),
    );
}

# Attempts: {right, name, request}; those about a name also `named` (where that name stands) and `twin`, the same
# with a name that truly does not exist. sets: names under which PAY might be found.
sub attempts {
    my (@names) = @_;
    my @all;
    my $add = sub {
        my ($right, $what, $of, %o) = @_;
        my @list = $of->(@{ $o{args} || [] });
        my @twin = $o{twin} ? $of->(@{ $o{twin} }) : ();
        while (my ($name, $request) = splice @list, 0, 2) {
            my ($twin) = (splice @twin, 0, 2)[1] if @twin;
            push @all, { right => $right, name => "$what: $name", request => $request, $twin ? (twin => $twin, named => $o{args}[0], unnamed => $o{twin}[0]) : () };
        }
    };
    push @all, { right => 'roles of PAY', name => 'datasets', request => get('datasets') };
    for my $name (@names) {
        (my $none = $name) =~ tr/Aa/Ee/;
        $add->('roles of PAY', "dataset $name", \&_dataset, args => [$name], twin => [$none]);
    }
    $add->(undef, 'dataset PAY beside others', \&_beside, args => ['PAY'], twin => ['PEY']);
    $add->('roles of CLIENTS.SSN', 'column SSN', \&_column_of_clients, args => [ 'SSN', '111-11-1111' ], twin => [ 'SXN', '111-11-1111' ]);
    $add->('roles of CLIENTS.SCORE', 'column score', \&_column_of_clients, args => [ 'score', 3 ], twin => [ 'scare', 3 ]);
    push @all, { right => 'roles of CLIENTS.SSN', name => 'columns of CLIENTS', request => get('datasets/clients/columns') },
        { right => 'roles of CLIENTS.SSN', name => 'every column of CLIENTS, in the catalogue\'s order', request => post('preview', dataset => 'CLIENTS') },
        { right => 'roles of CLIENTS.SSN', name => 'the catalogue\'s order alone', request => view(dataset => 'CLIENTS') },
        { right => 'roles of CLIENTS.SCORE', name => 'an export of CLIENTS', request => post('export?format=csv&names=display', dataset => 'CLIENTS') };
    $add->('row_filter of ACCOUNTS', 'rows of ACCOUNTS', \&_rows);
    $add->('row_filter of NEWEST', 'rows of NEWEST', \&_newest);
    $add->('row_filter of NOTES', 'rows of NOTES', \&_notes);
    $add->('row_filter of WIRES', 'rows of WIRES', \&_wires);
    $add->('roles of LOADS.LOAD_ID', 'LOADS', \&_loads);
    $add->('roles of LOADS.KIND', 'LOADS, its kinds', \&_kinds);
    $add->('roles of STOCK.LOAD_ID', 'STOCK', \&_stocks);
    $add->(undef, 'STOCK, of which one load', sub {
        return ('counted' => post('preview', dataset => 'STOCK', aggregations => [ { column => '*', function => 'count' } ]),
            'told of' => post('export?format=xlsx&about=1', dataset => 'STOCK', columns => ['N'], sorting => [ { column => 'ID' } ]));
    });
    push @all, { right => 'roles of all of CABLES', name => 'datasets, of which no column', request => get('datasets') };
    $add->('roles of all of CABLES', 'CABLES', \&_all_cables, args => ['CABLES'], twin => ['CEBLES']);
    $add->('roles of SHIFTS', 'SHIFTS', \&_shifts);
    $add->('roles of MY_SHIFTS.PLACE', 'places of MY_SHIFTS', \&_my_places);
    $add->('row_filter of MY_SHIFTS', 'rows of MY_SHIFTS', \&_my_rows);
    push @all, { name => 'the description', request => get('openapi.json') };
    if ($REPORTS) {
        push @all, { right => 'roles of reports', name => 'reports', request => get('reports') };
        my %right = (named => 'roles of reports', pay => 'roles of PAY', ssn => 'roles of CLIENTS.SSN');
        $add->($right{$_}, "report $_", \&_report, args => [$_], twin => [ scalar reverse $_ ]) for sort keys %right;
        push @all, map { { right => 'row_filter of ACCOUNTS', name => "report accounts$_", request => get("reports/accounts$_") } } '', '.csv', '.xlsx', '.xlsx?about=1';
        push @all, map { { right => 'row_filter of NEWEST', name => "report newest$_", request => get("reports/newest$_") } } '', '.csv', '.xlsx?about=1';
    }
    return @all;
}

# --- answers -----------------------------------------------------------------------------------

sub send_one {
    my ($http, $user, $request) = @_;
    my %headers = (who($user), 'X-Correlation-ID' => 'the-same');
    return $http->post("/aurora$request->{path}", $request->{body}, headers => \%headers) if $request->{body};
    return $http->request($request->{method} || 'GET', "/aurora$request->{path}", headers => \%headers);
}

my %NOT_COMPARED = map { $_ => 1 } qw(date content-length connection keep-alive transfer-encoding server);
my %ONLY_THERE = map { $_ => 1 } qw(x-aurora-task ratelimit);    # whether, not what

sub _sheets {
    my ($bytes) = @_;
    my $file = File::Temp->new(SUFFIX => '.xlsx');
    binmode $file;
    print {$file} $bytes;
    close $file;
    my $text = `unzip -p $file 'xl/worksheets/sheet*.xml' xl/workbook.xml 2>&1`;
    $text =~ s/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d/WHEN/g;
    return $text;
}

# Everything of an answer that a caller could learn from: status, headers, body. What a figure of the planner
# says differs from table to table; figures => 1 keeps it.
sub essence {
    my ($r, %o) = @_;
    my $body = $r->{body};
    $body = _sheets($body) if ($r->{headers}{'content-type'} // '') =~ /spreadsheet/;
    $body =~ s/"execution_time_ms":[\d.e+-]+/"execution_time_ms":T/;
    $body =~ s/"row_count":(?:\d+|null)(,"column_count")/"row_count":R$1/g;
    $body =~ s/"estimated_rows":\d+/"estimated_rows":E/ unless $o{figures};
    my $length = $r->{status} >= 400 ? $r->{headers}{'content-length'} // '-' : '';
    return join "\n", "$r->{status} $length" . ($r->{complete} ? '' : ' broken'),
        (map { "$_: " . ($ONLY_THERE{$_} ? '(there)' : $r->{headers}{$_}) } grep { !$NOT_COMPARED{$_} } sort keys %{ $r->{headers} }), $body;
}

1;
