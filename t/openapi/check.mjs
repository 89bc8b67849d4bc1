// node check.mjs MODULES document FILE - is FILE an OpenAPI document? One line of JSON: null, or what is wrong.
// node check.mjs MODULES values FILE CASES - CASES is an array of [pointer of a schema in FILE, value]; the answer is an
// array with null, or what is wrong, for each.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [modules, what, file, cases] = process.argv.slice(2);
const load = createRequire(modules + '/package.json');
const document = JSON.parse(readFileSync(file, 'utf8'));

async function checkDocument() {
    const path = modules + '/node_modules/@seriousme/openapi-schema-validator/index.js';
    const { Validator } = await import(pathToFileURL(path).href);
    const validator = new Validator();
    const { valid, errors } = await validator.validate(document);
    return valid && validator.version === '3.1' ? null : JSON.stringify(errors ?? validator.version);
}

// Every schema is compiled in its place, so references are followed as a client follows them.
function checkValues() {
    const Ajv = load('ajv/dist/2020').default;
    const formats = load('ajv-formats').default;
    const ajv = new Ajv({ strict: false, allErrors: false });
    formats(ajv);
    ajv.addSchema(document, 'openapi');
    return JSON.parse(readFileSync(cases, 'utf8')).map(([pointer, value]) => {
        const fragment = pointer.split('/').map(encodeURIComponent).join('/');
        const validate = ajv.getSchema('openapi#' + fragment);
        if (!validate) return 'there is no schema at ' + pointer;
        return validate(value) ? null : ajv.errorsText(validate.errors);
    });
}

console.log(JSON.stringify(what === 'document' ? await checkDocument() : checkValues()));
