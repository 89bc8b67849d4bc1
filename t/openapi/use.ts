// A program that somebody writes against the generated client: compiled strictly, then run.
import { client } from './gen/client.gen';
import { estimate, getTask, listColumns, listDatasets, preview } from './gen/sdk.gen';
import type { PreviewAnswer, QueryRequest } from './gen/types.gen';

declare const process: { argv: string[]; exit(code: number): never };

async function main(baseUrl: string) {
    client.setConfig({ baseUrl });
    const datasets = await listDatasets({ throwOnError: true });
    const names: string[] = datasets.data.datasets.map(dataset => dataset.name);
    const columns = await listColumns({ path: { name: 'REGIONS' }, throwOnError: true });

    const body: QueryRequest = {
        dataset: 'REGIONS',
        columns: ['REGION_ID', 'REGION'],
        filters: { logic: 'OR', conditions: [{ column: 'REGION_ID', operator: 'lte', value: 2 }, { column: 'REGION', operator: 'in', value: ['East'] }] },
        sorting: [{ column: 'REGION_ID', direction: 'DESC' }],
    };
    const answer = await preview({ body, throwOnError: true });
    const page: PreviewAnswer = answer.data;
    const verdict = await estimate({ body, throwOnError: true });
    const task = await getTask({ path: { id: answer.response.headers.get('X-Aurora-Task') ?? '' }, throwOnError: true });
    const refused = await preview({ body: { dataset: 'NO_SUCH_DATASET' } });
    console.log(JSON.stringify({
        names, columns: columns.data.columns.map(column => column.name), rows: page.data, total: page.total_row_count,
        allowed: verdict.data.would_run.xlsx.allowed, state: task.data.state, refused: refused.error?.code,
    }));
}

main(process.argv[2]).catch(error => {
    console.error(error);
    process.exit(1);
});
