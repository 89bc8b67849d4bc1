// node.js - node-oracledb in Thick mode on the double: what it read, a line of JSON per check.
//   node node.js PACKAGES LIBDIR CONNECTSTRING
'use strict';
const crypto = require('crypto');
const [, , packages, libDir, connectString] = process.argv;
const oracledb = require(packages + '/oracledb');

const say = (name, value) => console.log(JSON.stringify([name, value]));
const connect = (more) => oracledb.getConnection({ user: 'aurora', password: 'aurora', connectString, ...more });
const failure = async (name, promise) => {
    try {
        await promise;
        say(name, 'no error');
    } catch (e) {
        say(name, [e.errorNum, e.offset ?? 0]);
    }
};
const text = (v) => v === null ? '' : v instanceof Date ? v.toISOString() : Buffer.isBuffer(v) ? v.toString('hex') :
    v instanceof oracledb.IntervalDS ? `${((v.days * 24 + v.hours) * 60 + v.minutes) * 60 + v.seconds}` :
    v instanceof oracledb.IntervalYM ? `${v.years * 12 + v.months}` : String(v);

async function digest(c, table, describe) {
    const md5 = crypto.createHash('md5');
    let rows = 0;
    const result = await c.execute(`SELECT * FROM ${table} ORDER BY id`, [], { resultSet: true, fetchArraySize: 500 });
    say(describe, result.metaData.map((m) => [m.name, m.dbTypeName, m.precision ?? null, m.scale ?? null, m.byteSize ?? null]));
    for (let some; (some = await result.resultSet.getRows(5000)).length;) {
        for (const row of some) md5.update(row.map(text).join('|') + '\n');
        rows += some.length;
    }
    await result.resultSet.close();
    say(table, [rows, md5.digest('hex')]);
}

async function wide(c) {
    await digest(c, 'wide', 'describe');
    await digest(c, 'longs', 'describe longs');
    await digest(c, 'longraws', 'describe longraws');
}

async function lobs(c) {
    const read = async (lob) => lob === null ? null : crypto.createHash('md5').update((await lob.getData()) ?? '').digest('hex');
    const located = [];
    for (const row of (await c.execute('SELECT id, t, nt, b FROM lobs ORDER BY id')).rows) {
        located.push([row[0], row[1] && row[1].length, row[3] && row[3].length, await read(row[1]), await read(row[2]), await read(row[3])]);
    }
    say('lobs', located);
    const direct = (await c.execute('SELECT id, t, b FROM lobs ORDER BY id', [], {
        fetchTypeHandler: (m) => ({ type: m.dbType === oracledb.DB_TYPE_CLOB ? oracledb.STRING : m.dbType === oracledb.DB_TYPE_BLOB ? oracledb.BUFFER : undefined }),
    })).rows;
    const md5 = (v) => v === null ? null : crypto.createHash('md5').update(v).digest('hex');
    say('lobs direct', direct.map((r) => [r[0], md5(r[1]), md5(r[2])]));
}

async function binds(c) {
    const one = async (sql, b) => (await c.execute(sql, b)).rows.map((r) => r.map(text).join('|'));
    say('bind number', await one('SELECT id, v FROM wide WHERE id = :id', { id: 7 }));
    say('bind text', await one('SELECT id FROM wide WHERE v = :1 AND id < :2', ['row 9 äß', 100]));
    say('bind twice', await one('SELECT id FROM wide WHERE id IN (:a, :a + 1) ORDER BY id', { a: 41 }));
    say('bind date', await one('SELECT id FROM wide WHERE d = :d', { d: new Date('2001-01-01T05:00:00Z') }));
    say('bind raw', await one('SELECT id FROM wide WHERE r = :r', { r: Buffer.from('0000000b', 'hex') }));
    say('bind null', await one('SELECT COUNT(*) FROM dual WHERE :x IS NULL', { x: '' }));
    await c.execute('INSERT INTO notes (id, text) VALUES (:1, :2)', [1, 'rolled back']);
    await c.rollback();
    await c.execute('INSERT INTO notes (id, text) VALUES (:1, :2)', [2, 'kept']);
    await c.commit();
    await c.execute('ALTER SESSION SET CURRENT_SCHEMA = SYS');
    say('schema by statement', await one("SELECT SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') FROM dual", []));
    c.currentSchema = 'AURORA';
    say('schema by attribute', await one("SELECT SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') FROM dual", []));
    say('rows after rollback and commit', await one('SELECT id, text FROM notes', []));
}

async function errors(c) {
    await failure('no table', c.execute('SELECT * FROM nothing_here'));
    await failure('no column', c.execute('SELECT id, nope FROM wide'));
    await failure('no number', c.execute("SELECT TO_NUMBER('x') FROM dual"));
    await failure('zero', c.execute('SELECT 1 / (id - id) FROM wide'));
    await failure('zero in row 501', c.execute('SELECT 1 / (id - 501) FROM wide ORDER BY id'));
    await failure('no from', c.execute('SELECT 1'));
    await failure('unbound', c.execute('SELECT :a, :b FROM dual', { a: 1 }));
    await failure('unknown bind', c.execute('SELECT :a FROM dual', { a: 1, zz: 2 }));
    await c.execute('SET TRANSACTION READ ONLY');
    await failure('read only', c.execute("INSERT INTO notes VALUES (3, 'x')"));
    await c.rollback();
    await failure('password', connect({ password: 'wrong', user: 'nobody' }));
    await failure('service', connect({ connectString: connectString.replace(/\/[^/]*$/, '/nothing') }));
    await failure('listener', connect({ connectString: '//127.0.0.1:1/aurora' }));
    say('alive after errors', (await c.execute('SELECT COUNT(*) FROM wide')).rows[0][0]);
}

async function breaks(c) {
    const slow = 'SELECT COUNT(*) FROM wide a, wide b WHERE a.id + b.id < 0';
    const from = Date.now();
    const running = failure('break', c.execute(slow));
    await new Promise((done) => setTimeout(done, 500));
    await c.break();
    await running;
    say('break was quick', Date.now() - from < 5000);
    say('alive after break', (await c.execute('SELECT COUNT(*) FROM dual')).rows[0][0]);
    c.callTimeout = 400;
    try {
        await c.execute(slow);
        say('call timeout', 'no error');
    } catch (e) {
        say('call timeout', e.code);
    }
    c.callTimeout = 0;
    say('alive after timeout', (await c.execute('SELECT COUNT(*) FROM dual')).rows[0][0]);
}

async function lost() {
    const c = await connect(), d = await connect();
    const sid = (await c.execute("SELECT SYS_CONTEXT('USERENV', 'SID') FROM dual")).rows[0][0];
    await d.execute(`ALTER SYSTEM KILL SESSION '${sid},1' IMMEDIATE`);
    say('healthy before', c.isHealthy());
    try {
        await c.ping();
        say('lost', 'no error');
    } catch (e) {
        say('lost', /ORA-00028|ORA-03113|NJS-500|DPI-1080/.test(e.message));
    }
    say('healthy after', c.isHealthy());
    await c.close().catch(() => {});
    await d.close();
}

(async () => {
    oracledb.initOracleClient({ libDir });
    const c = await connect();
    say('version', c.oracleServerVersionString);
    for (const part of [wide, lobs, binds, errors, breaks, lost]) await part(c);
    const exact = await c.execute('SELECT n, t FROM numbers ORDER BY id', [], { fetchTypeHandler: () => ({ type: oracledb.STRING }) });
    say('numbers', exact.rows);
    await c.close();
})().catch((e) => {
    console.error(e);
    process.exit(1);
});
