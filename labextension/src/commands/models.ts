/** Promote a version of a registered model to another stage. */

import { InputDialog, Notification } from '@jupyterlab/apputils';
import type { ModelRow, ModelVersion } from '../api/rows';
import type { Context, Verbs } from './context';
import { Ids } from './ids';

const STAGES = ['development', 'staging', 'production', 'archived'];

interface Choice {
  text: string;
  model: ModelRow;
  version: ModelVersion;
}

export function modelVerbs(context: Context): Verbs {
  return {
    [Ids.promote]: {
      label: 'Promote a Model…',
      caption: 'Give a version of a registered model another stage',
      execute: () => promote(context),
    },
  };
}

async function promote({ api }: Context): Promise<void> {
  const choices = choicesOf(await api.models());
  if (choices.length === 0)
    throw new Error(
      'No model is registered yet: nbtrack.models.register(run, "name").',
    );
  const picked = await InputDialog.getItem({
    title: 'Promote a model',
    label: 'Version',
    items: choices.map((choice) => choice.text),
  });
  const choice = choices.find(({ text }) => text === picked.value);
  if (!choice) return;
  const stage = await InputDialog.getItem({
    title: `Promote ${choice.text}`,
    label: 'Stage',
    items: STAGES.filter((one) => one !== choice.version.stage),
  });
  if (!stage.value) return;
  const note = await InputDialog.getText({
    title: `Promote to ${stage.value}`,
    label: 'Why (kept in the history of the model)',
  });
  if (note.value === null) return;
  const { store, name } = choice.model;
  const { version } = choice.version;
  await api.promote({ store, name, version, stage: stage.value, note: note.value });
  Notification.success(`${name}@${version} is in ${stage.value}.`, { autoClose: 5000 });
}

function choicesOf(models: readonly ModelRow[]): Choice[] {
  return models.flatMap((model) =>
    model.versions.map((version) => ({
      text: `${model.name}@${version.version} (${version.stage})`,
      model,
      version,
    })),
  );
}
