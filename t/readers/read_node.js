// SheetJS and exceljs: node read_node.js LIBRARY MODULES WORKBOOK - one line of JSON for each row of the first sheet.
const [library, modules, workbook] = process.argv.slice(2);
const load = require('module').createRequire(modules + '/package.json');

// Milliseconds since 1970 as the clock on the wall had them.
const stamp = ms => new Date(Math.round(ms)).toISOString().slice(0, -1);

// One write a line would be slow for large sheets.
const lines = [];
const emit = cells => lines.push(JSON.stringify(cells));
const EPOCH = Date.UTC(1899, 11, 30);

function sheetjs() {
    const XLSX = load('xlsx');
    // Numbers with their formats: the library's own dates depend on the zone of this machine.
    const book = XLSX.readFile(workbook, { dense: true, cellNF: true, cellText: false, cellHTML: false });
    const sheet = book.Sheets[book.SheetNames[0]];
    const rows = sheet['!data'] || sheet;
    for (const row of rows) {
        emit(Array.from(row || [], cell => {
            if (!cell || cell.t === 'z') return null;
            if (cell.t === 'n' && XLSX.SSF.is_date(cell.z || '')) return ['d', stamp(EPOCH + cell.v * 86400000)];
            return [cell.t, cell.v];
        }));
    }
}

// ECMA-376 part 1, 22.9.2.19: exceljs leaves that to its callers.
const unescape = text => text.replace(/_x([0-9A-Fa-f]{4})_/g, (all, code) => String.fromCharCode(parseInt(code, 16)));

async function exceljs() {
    const ExcelJS = load('exceljs');
    const book = new ExcelJS.Workbook();
    await book.xlsx.readFile(workbook);
    const sheet = book.worksheets[0];
    for (let i = 1; i <= sheet.rowCount; i++) {
        const row = sheet.getRow(i), cells = [];
        for (let k = 1; k <= row.cellCount; k++) {
            const v = row.getCell(k).value;
            cells.push(v === null || v === undefined ? null
                : v instanceof Date ? ['d', stamp(v.getTime())]
                : typeof v === 'number' ? ['n', v]
                : typeof v === 'boolean' ? ['b', v]
                : ['s', unescape(v)]);
        }
        emit(cells);
    }
}

(async () => {
    await { sheetjs, exceljs }[library]();
    process.stdout.write(lines.join('\n') + '\n');
})();
