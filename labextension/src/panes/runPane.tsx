/** A run's page: its curves, then all that is known of it, with what can be done. */

import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { wordsOf, type Api } from '../api/client';
import type { ArtifactFiles, RunDetail, RunPage, Section } from '../api/rows';
import { Ids } from '../commands/ids';
import { runsIcon } from '../icon';
import { PolledSource } from '../live/polled';
import { mountPanel } from '../shared/panel';

/** Shown closed: long, and seldom what a page is opened for. */
const CLOSED = new Set(['Environment', 'Cells of the session', 'Printed', 'Machine']);

const REPRODUCIBILITY = 'Reproducibility';

export class RunPane extends ReactWidget {
  private detail: RunDetail | null = null;
  private page: RunPage | null = null;
  private error = '';

  constructor(
    private readonly api: Api,
    private readonly commands: CommandRegistry,
    readonly run: string,
  ) {
    super();
    this.addClass('nbt-run-pane');
    this.title.icon = runsIcon;
    this.title.label = 'run';
    this.title.closable = true;
    void this.load();
  }

  /** Read what is not live anew: notes, tags, the sections. */
  async load(): Promise<void> {
    try {
      const found = [this.api.run(this.run), this.api.page(this.run)] as const;
      [this.detail, this.page] = await Promise.all(found);
      this.error = '';
      this.title.label = this.detail.name;
      this.title.caption = this.page.headline;
    } catch (reason) {
      this.error = wordsOf(reason);
    }
    if (!this.isDisposed) this.update();
  }

  protected override onAfterShow(): void {
    void this.load();
  }

  protected override render(): React.JSX.Element {
    const { detail, page } = this;
    return (
      <article className="nbt-page" aria-label={`Run ${detail?.name ?? this.run}`}>
        {this.error ? (
          <p className="nbt-problem" role="alert">
            {this.error}
          </p>
        ) : null}
        {detail ? <Head run={detail} commands={this.commands} /> : null}
        <Curves
          make={() => this.source()}
          stop={() => void this.commands.execute(Ids.stop, { run: this.run })}
        />
        {detail ? <Notes run={detail} commands={this.commands} /> : null}
        {page?.sections.map((one) => (
          <Part key={one.title} section={one}>
            {page.origin && one.title === REPRODUCIBILITY ? (
              <Origin {...page.origin} commands={this.commands} />
            ) : null}
          </Part>
        ))}
        {page?.files.length ? (
          <Files
            files={page.files}
            url={(digest) => this.api.fileUrl(this.run, digest)}
          />
        ) : null}
      </article>
    );
  }

  private source(): PolledSource {
    return new PolledSource(
      this.api,
      this.run,
      () => this.isVisible,
      () => void this.load(),
    );
  }
}

interface OfRun {
  run: RunDetail;
  commands: CommandRegistry;
}

function Head({ run, commands }: OfRun): React.JSX.Element {
  const star = { run: run.id, on: !run.starred };
  return (
    <header className="nbt-page-head">
      <span className="nbt-dot" data-status={run.status} aria-hidden="true" />
      <h1>{run.name}</h1>
      <span className="nbt-quiet">{run.status}</span>
      <button
        type="button"
        className="nbt-star-mark"
        aria-pressed={run.starred}
        aria-label="Star"
        data-on={run.starred || undefined}
        onClick={() => void commands.execute(Ids.star, star)}
      >
        {run.starred ? '★' : '☆'}
      </button>
      {run.tags.map((tag) => (
        <span className="nbt-tag" key={tag}>
          {tag}
        </span>
      ))}
      <nav aria-label="What can be done with this run">
        <Does run={run} commands={commands} does={Ids.toCell} text="Go to cell" />
        <Does
          run={run}
          commands={commands}
          does={Ids.insertParams}
          text="Insert params"
        />
        <Does
          run={run}
          commands={commands}
          does={Ids.insertCells}
          text="Insert cells"
        />
        <Does run={run} commands={commands} does={Ids.script} text="Export script" />
        <Does run={run} commands={commands} does={Ids.bundle} text="Export bundle…" />
        <Does run={run} commands={commands} does={Ids.compare} text="Compare" />
        <Does run={run} commands={commands} does={Ids.tag} text="Tag" />
        <Does run={run} commands={commands} does={Ids.rename} text="Rename" />
      </nav>
    </header>
  );
}

function Does(props: OfRun & { does: string; text: string }): React.JSX.Element {
  const args = { run: props.run.id };
  return (
    <button
      type="button"
      disabled={!props.commands.isEnabled(props.does, args)}
      title={props.commands.caption(props.does, args)}
      onClick={() => void props.commands.execute(props.does, args)}
    >
      {props.text}
    </button>
  );
}

/** The live panel, the same as under a cell. */
function Curves(props: {
  make: () => PolledSource;
  stop: () => void;
}): React.JSX.Element {
  const place = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    if (!place.current) return undefined;
    const source = props.make();
    const panel = mountPanel(place.current, source, { stop: props.stop });
    return () => {
      panel.dispose();
      source.dispose();
    };
  }, []);
  return <div className="nbt-page-curves" ref={place} />;
}

function Notes({ run, commands }: OfRun): React.JSX.Element {
  const [text, setText] = React.useState(run.notes);
  React.useEffect(() => setText(run.notes), [run.notes]);
  const save = (): void => {
    if (text !== run.notes) void commands.execute(Ids.note, { run: run.id, text });
  };
  return (
    <textarea
      className="nbt-page-notes"
      aria-label="Notes"
      placeholder="Notes: what was tried, and what came of it"
      rows={Math.min(8, text.split('\n').length + 1)}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={save}
    />
  );
}

function Part(props: {
  section: Section;
  children?: React.ReactNode;
}): React.JSX.Element {
  const { section, children } = props;
  return (
    <details className="nbt-part" open={!CLOSED.has(section.title)}>
      <summary>{section.title}</summary>
      {section.rows.length ? <Rows rows={section.rows} /> : null}
      {children}
      {section.texts.map(([title, body], i) => (
        <details key={i} className="nbt-long-text" open={title === 'Traceback'}>
          <summary>{title}</summary>
          <pre tabIndex={0}>{body}</pre>
        </details>
      ))}
    </details>
  );
}

/** From a rerun to the run that it repeats. */
function Origin(props: {
  run: string;
  name: string;
  commands: CommandRegistry;
}): React.JSX.Element {
  const { run, name, commands } = props;
  return (
    <nav aria-label="The run that this one repeats">
      <button type="button" onClick={() => void commands.execute(Ids.open, { run })}>
        Open {name}
      </button>
    </nav>
  );
}

export function Rows({ rows }: { rows: readonly string[][] }): React.JSX.Element {
  return (
    <table>
      <tbody>
        {rows.map((row, i) => (
          <tr key={i}>
            {row.map((text, j) =>
              j === 0 ? (
                <th scope="row" key={j}>
                  {text}
                </th>
              ) : (
                <td key={j}>{text}</td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Files(props: {
  files: readonly ArtifactFiles[];
  url: (digest: string) => string;
}): React.JSX.Element {
  return (
    <details className="nbt-part" open>
      <summary>Files</summary>
      <table>
        <tbody>
          {props.files.flatMap((one) =>
            one.files.map((file) => (
              <tr key={`${one.artifact} ${file.path}`}>
                <th scope="row">{one.artifact}</th>
                <td>{file.path}</td>
                <td className="nbt-number">{size(file.size_bytes)}</td>
                <td>
                  {one.gone ??
                    (file.digest === null ? (
                      'elsewhere'
                    ) : (
                      <a href={props.url(file.digest)} download>
                        Download
                      </a>
                    ))}
                </td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </details>
  );
}

function size(n: number | null): string {
  if (n === null) return '';
  if (n < 1000) return `${n} B`;
  if (n < 1e6) return `${(n / 1e3).toFixed(1)} kB`;
  return n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`;
}
