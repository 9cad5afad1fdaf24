/** What differs between two runs, and two texts side by side. */

import * as React from 'react';
import type { DiffLine, DiffTable, RunDiff } from '../api/rows';

export function DiffView({ diff }: { diff: RunDiff }): React.JSX.Element {
  const [params, ...others] = diff.tables;
  return (
    <article className="nbt-diff" aria-label="Difference of two runs">
      <p>{diff.headings[0]}</p>
      <p>{diff.headings[1]}</p>
      <p>
        <strong>{diff.verdict}</strong>
      </p>
      {diff.metrics_line ? <p>{diff.metrics_line}</p> : null}
      {diff.causes.length ? <Causes causes={diff.causes} /> : null}
      {params ? <Table table={params} /> : null}
      {diff.code.map((code, i) => (
        <section key={i}>
          <h3>{code.title}</h3>
          <Lines lines={code.lines} />
        </section>
      ))}
      {others.map((table) => (
        <Table key={table.title} table={table} />
      ))}
      <Table table={diff.metrics} />
      {diff.same ? <p className="nbt-quiet">The same: {diff.same}</p> : null}
      {diff.unseen.length ? (
        <p className="nbt-quiet">Not seen: {diff.unseen.join('; ')}</p>
      ) : null}
    </article>
  );
}

function Causes({ causes }: { causes: RunDiff['causes'] }): React.JSX.Element {
  return (
    <section>
      <h3>Likely causes, the likeliest first</h3>
      <ol>
        {causes.map((cause, i) => (
          <li key={i}>
            <strong>{cause.title}</strong> {cause.why}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Table({ table }: { table: DiffTable }): React.JSX.Element {
  if (table.rows.length === 0) return <></>;
  return (
    <section>
      <h3>{table.title}</h3>
      <table>
        <thead>
          <tr>
            {table.heads.map((head, i) => (
              <th scope="col" key={i}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, i) => (
            <tr key={i}>
              {row.map((text, j) => (
                <td key={j}>{text}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Two texts side by side; what is only on one side is marked on it. */
export function Lines({ lines }: { lines: readonly DiffLine[] }): React.JSX.Element {
  return (
    <table className="nbt-lines">
      <tbody>
        {lines.map((line, i) => (
          <tr key={i} data-kind={line.kind}>
            <td className="nbt-line-no">{line.a ?? ''}</td>
            <td className="nbt-left-text">
              {line.left || (line.kind === 'gap' ? '⋯' : '')}
            </td>
            <td className="nbt-line-no">{line.b ?? ''}</td>
            <td className="nbt-right-text">{line.kind === 'gap' ? '' : line.right}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
