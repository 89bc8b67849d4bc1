# The catalogue file as it is published: schema, reference, examples and reader say the same. What is shipped and shown
# passes the schema and configtest; what is wrong passes neither.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Aurora::Data;
use Aurora::JSON;
use Aurora::Rights;
use Aurora::Server;

Aurora::Server::require_or_skip();

my ($mpm)   = Aurora::Server->mpms;
my $repo    = Aurora::Server::repo();
my $folder  = Aurora::Data::folder();
my $db      = Aurora::Data::sqlite_create("$folder/catalogue.db");
my $schema  = "$repo/docs/catalogue.schema.json";
my $text    = Aurora::Server::slurp("$repo/docs/catalogue.md");
my $checker = system('python3 -c "import jsonschema; jsonschema.Draft202012Validator" 2>/dev/null') == 0;

# --- both judges -------------------------------------------------------------------------------

# Does the schema take each of the files? Returns 1 or 0 for each. One interpreter for all of them.
sub by_schema {
    my (@files) = @_;
    my $script = Aurora::Rights::write_file("$folder/check.py", <<'PYTHON');
import json, sys
from jsonschema import Draft202012Validator
schema = json.load(open(sys.argv[1], encoding='utf-8'))
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
for path in sys.argv[2:]:
    print(1 if validator.is_valid(json.load(open(path, encoding='utf-8'))) else 0)
PYTHON
    open my $out, '-|', 'python3', $script, $schema, @files or die "python3: $!";
    chomp(my @verdicts = <$out>);
    close $out or die "python3: $?";
    return @verdicts;
}

# Does configtest take it? Returns 1 or 0, and what it says.
sub by_reader {
    my ($file) = @_;
    my ($exit, $said) = Aurora::Server->configtest(mpm => $mpm, db => $db, catalog => $file, no_location => 1);
    return ($exit == 0 ? 1 : 0, $said);
}

# --- files -------------------------------------------------------------------------------------

sub dataset { return '{"datasets": {"S": {' . $_[0] . '}}}' }
sub report  { return '{"reports": {"R": {' . $_[0] . '}}}' }
sub param   { return report('"sql": "SELECT 1", "parameters": [{' . $_[0] . '}]') }
sub filter  { return dataset('"row_filter": {"conditions": [' . $_[0] . ']}') }
sub stored  { return report('"query": {"dataset": "S", ' . $_[0] . '}') }
sub chosen  { return stored('"filters": {"conditions": [{"column": "A", ' . $_[0] . '}]}') }
sub sole    { return filter('{"column": "A", ' . $_[0] . '}') }

my @examples = $text =~ /^```json\n(.*?)^```$/msg;
my @good = (
    @examples, '{}', '{"discover": true, "datasets": {}}', Aurora::Rights::catalog(), (map { Aurora::Rights::reference($_) } @Aurora::Rights::USERS),
    dataset('"roles": ["a b", "é"], "columns": {"A": {"roles": ["x"]}}'), dataset('"partition": {"date_column": "D"}'),
    dataset('"sorting": []'), sole('"operator": "is_null"'), sole('"operator": "in", "value": ["x", 1, true, {"expr": "y"}]'),
    sole('"operator": "between", "value": "1,2"'), sole('"operator": "between", "value": [1, {"expr": "2"}]'),
    sole('"operator": "not_in", "value": {"expr": "%{REMOTE_USER}"}'), filter('{"logic": "OR", "conditions": [{"column": "A", "operator": "is_empty"}]}'),
    '{"reports": {}}', report('"sql": "SELECT 1"'), report('"query": {"dataset": "S"}, "roles": ["a"]'), param('"name": "a", "type": "number", "default": 1'),
    report('"sql": "SELECT 1", "description": ""'), param('"name": "a", "type": "number", "default": [1, "2.5"], "multiple": true'), sole('"operator": "is_null", "value": null, "datatype": null'),
    stored('"columns": null, "limit": 5, "offset": null, "is_preview": true, "partition_load_type": null, "partition_filters": {"S": [1], "T": null}'),
    stored('"joins": [{"left_dataset": "S", "right_dataset": "T", "join_type": "left", "alias": "U", "on": [{"left_column": "A", "right_column": "B"}]}]'),
    stored('"group_by": ["A"], "aggregations": [{"column": "*", "function": "count", "output_name": ""}], "sorting": [{"column": "A", "direction": "DESC", "nulls": "last"}]'),
    stored('"filters": {"logic": "OR", "conditions": [{"conditions": []}, {"column": "A", "operator": "between", "value": "1,2", "datatype": "number", "ignore_case": null}]}'),
    '{"reports": {"R": {"parameters": [{"name": "p", "multiple": true}, {"name": "n", "type": "number"}], "query": {"dataset": "S", "limit": "${n}", "partition_filters": {"S": "${p}"}, "filters": {"conditions": [{"column": "A", "operator": "in", "value": "${p}"}]}}}}}',
    param('"name": "a", "expr": "%{REMOTE_USER}"'), param('"name": "a", "type": "choice", "choices": ["x"], "default": "x"'), param('"name": "a", "multiple": true, "default": ["x", "y"]'),
);
my @bad = (
    '[]', '{"dataset": {}}', '{"discover": "no"}', '{"datasets": []}', '{"datasets": {"S": null}}', '{"datasets": {"": {}}}',
    dataset('"source": ""'), dataset('"source": 1'), dataset('"display_name": []'), dataset('"colour": 1'), dataset('"columns": {}'),
    dataset('"columns": {"A": "x"}'), dataset('"columns": {"A": {"width": 5}}'), dataset('"columns": {"A": {"format": ""}}'),
    '{"discover": null}', dataset('"columns": null'), dataset('"source": null'), dataset('"partition": null'), dataset('"columns": {"A": {"format": null}}'),
    dataset('"sorting": [{"column": "A", "direction": null}]'), dataset('"partition": {"load_id_column": "L", "supported_types": []}'),
    dataset('"partition": {"load_type_column": "L", "default": "latest"}'), sole('"operator": "is_null", "ignore_case": null'),
    dataset('"columns": {"A": {"roles": []}}'), dataset('"partition": {}'), dataset('"partition": {"load_id_column": ""}'),
    dataset('"partition": {"load_id_column": "L", "default": "first"}'), dataset('"partition": {"load_id_column": "L", "supported_types": ["x"]}'),
    dataset('"partition": {"load_id_column": "L", "roles": ["x"]}'), dataset('"sorting": {}'), dataset('"sorting": [{"direction": "ASC"}]'),
    dataset('"sorting": [{"column": "A", "direction": "up"}]'), dataset('"sorting": [{"column": "A", "nulls": "both"}]'),
    dataset('"sorting": [{"column": "A", "order": 1}]'), dataset('"roles": null'), dataset('"roles": []'), dataset('"roles": "x"'),
    dataset('"roles": ["a,b"]'), dataset('"roles": [" a"]'), dataset('"roles": ["a "]'), dataset('"roles": [""]'), dataset('"roles": [1]'),
    dataset('"row_filter": null'), dataset('"row_filter": {}'), dataset('"row_filter": []'), dataset('"row_filter": {"conditions": []}'),
    dataset('"row_filter": {"column": "A", "operator": "is_null"}'), dataset('"row_filter": {"logic": "NOT", "conditions": [{"column": "A", "operator": "is_null"}]}'),
    filter('{"conditions": []}'), filter('"x"'), filter('{}'), sole('"value": 1'), sole('"operator": "is"'), sole('"operator": "eq"'),
    sole('"operator": "eq", "value": null'), sole('"operator": "eq", "value": []'), sole('"operator": "eq", "value": {}'),
    sole('"operator": "eq", "value": {"expr": ""}'), sole('"operator": "eq", "value": {"expr": "x", "default": "y"}'), sole('"operator": "eq", "value": 1, "ignorecase": true'),
    sole('"operator": "eq", "value": 1, "ignore_case": 1'), sole('"operator": "in", "value": []'), sole('"operator": "in", "value": "a,b"'),
    sole('"operator": "in", "value": [[1]]'), sole('"operator": "between", "value": [1]'), sole('"operator": "between", "value": 5'),
    '{"reports": []}', '{"reports": {"a.b": {"sql": "SELECT 1"}}}', '{"reports": {"' . 'a' x 65 . '": {"sql": "SELECT 1"}}}', report(''), report('"sql": "SELECT 1", "query": {"dataset": "S"}'),
    report('"query": {}'), report('"query": []'), report('"sql": ""'), report('"sql": "SELECT 1", "roles": []'), report('"sql": "SELECT 1", "colour": 1'), param('"type": "text"'),
    param('"name": "1a"'), param('"name": "limit"'), param('"name": "a", "type": "colour"'), param('"name": "a", "type": "choice"'), param('"name": "a", "choices": ["x"]'),
    stored('"rows": 5'), stored('"limit": 0'), stored('"limit": "ten"'), stored('"offset": -1'), stored('"columns": "A"'), stored('"shape": "rows"'), stored('"partition_filters": {"S": "x"}'),
    stored('"sorting": [{"column": "A", "order": "DESC"}]'), stored('"sorting": [{"direction": "ASC"}]'), stored('"aggregations": [{"column": "A", "function": "sum", "name": "N"}]'),
    stored('"joins": [{"left_dataset": "S", "right_dataset": "T", "how": "left", "on": [{"left_column": "A", "right_column": "B"}]}]'), stored('"joins": [{"left_dataset": "S", "right_dataset": "T", "on": []}]'),
    stored('"joins": [{"left_dataset": "S", "right_dataset": "T", "on": [{"left_column": "A", "right_column": "B", "x": 1}]}]'), stored('"filters": {"column": "A", "operator": "is_null"}'),
    stored('"filters": {"conditions": [], "not": true}'), chosen('"operator": "eq", "value": "x", "ignorecase": true'), chosen('"operator": "eq"'), chosen('"operator": "in", "value": "x"'), chosen('"operator": "between", "value": 1'), chosen('"operator": "is"'),
    report('"sql": null'), report('"sql": "SELECT 1", "description": null'), param('"name": "a", "default": null'), param('"name": "a", "default": 5'), param('"name": "a", "multiple": true, "default": ["x", 5]'),
    param('"name": "a", "type": "choice", "choices": [""]'),
    param('"name": "a", "required": "yes"'), param('"name": "a", "default": ["x"]'), param('"name": "a", "default": {}'), param('"name": "a", "expr": "x", "default": "y"'), param('"name": "a", "width": 1'),
);

cmp_ok(scalar @examples, '>=', 2, 'the reference has examples');
my $n = 0;
my @files = map { Aurora::Rights::write_file("$folder/file-" . ++$n . '.json', $_) } @good, @bad;
push @files, "$repo/conf.d/demo/catalog.json";
my @names = map { s/\s+/ /gr =~ s/^(.{100}).+/$1…/r } @good, @bad, 'conf.d/demo/catalog.json';
my @wanted = ((1) x @good, (0) x @bad, 1);

SKIP: {
    skip 'no python3 with jsonschema (Debian: python3-jsonschema)', scalar @files unless $checker;
    my @verdicts = by_schema(@files);
    is($verdicts[$_], $wanted[$_], ($wanted[$_] ? 'the schema takes ' : 'the schema refuses ') . $names[$_]) for 0 .. $#files;
}
for my $i (0 .. $#files) {
    my ($verdict, $said) = by_reader($files[$i]);
    is($verdict, $wanted[$i], ($wanted[$i] ? 'configtest takes ' : 'configtest refuses ') . $names[$i]) or diag($said);
    next if $wanted[$i];
    like($said, qr{AuroraCatalog: \S+: (?:/\S*|\(document\)): \S}, 'and says where') or diag($said);
}

# --- the words ---------------------------------------------------------------------------------

# Every member that the schema knows is in the reference, and in its first example; those of a stored request are the
# ones that requests have.
sub properties {
    my ($node, $found, $where) = @_;
    $where //= sub { $_[0] !~ /^request/ };
    if (ref $node eq 'HASH') {
        $found->{$_} = 1 for ref $node->{properties} eq 'HASH' && ($node->{additionalProperties} // 1) eq '0' ? keys %{ $node->{properties} } : ();
        properties($node->{$_}, $found, $where) for grep { ref $node->{$_} && $where->($_) } sort keys %$node;
    }
    elsif (ref $node eq 'ARRAY') {
        properties($_, $found, $where) for @$node;
    }
    return $found;
}

sub tree { return JSON::PP->new->boolean_values(0, 1)->decode(Aurora::Server::slurp($_[0])) }

sub names { return join ' ', sort keys %{ $_[0]{properties} } }

my $known = properties(tree($schema), {});
cmp_ok(scalar keys %$known, '>=', 20, 'the schema has members');
for my $name (sort keys %$known) {
    like($text, qr/`[^`\n]*\b$name\b[^`\n]*`/, "$name is explained");
    like($examples[0], qr/"$name"/, "$name is in the first example");
}
my ($stored, $asked) = (tree($schema)->{'$defs'}, tree("$repo/mod_aurora/http/openapi.json")->{components}{schemas});
my %same = (request => 'QueryRequest', request_join => 'Join', request_group => 'Group', request_rule => 'Rule', request_aggregation => 'Aggregation', request_sort => 'Sort');
is(names($stored->{$_}), names($asked->{ $same{$_} }), "$_: the members of a stored request are those of $same{$_}") for sort keys %same;
is(names($stored->{request_join}{properties}{on}{items}), names($asked->{Join}{properties}{on}{items}), 'and so are those of a pair of columns');
done_testing();
