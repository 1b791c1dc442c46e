import type { ServeSettings } from './config.ts';
import type { Input, InputParts } from './input.ts';
import type { InputSettings } from './input-settings.ts';
import { EnvironmentError } from './terminal.ts';

/** Opens the cluster. */
export async function openCluster(
  _settings: ServeSettings,
  _input: Extract<InputSettings, { readonly from: 'cluster' }>,
  _parts: InputParts,
): Promise<Input> {
  throw new EnvironmentError('a cluster cannot be watched yet');
}
