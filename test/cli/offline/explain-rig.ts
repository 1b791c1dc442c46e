import { type CliRun, cli } from '../../support/processes/terminal.ts';
import { isSubject, mcpService, openGateway, policyWith, together } from '../../support/worlds/manifests.ts';

/** The reference to the Gateway `default/gw`. */
export const gw = '[{ name: gw }]';
/** A rule for the subject `me`, or for other matches. */
export const rule = (name: string, kind = 'tool', ...matches: readonly string[]): string =>
  `{ matches: [${(matches.length === 0 ? [isSubject('me')] : matches).join(', ')}], resource: { kind: ${kind}, name: ${name} } }`;
/** The target `default/tool`. */
export const tool: string = mcpService('default/tool');
/** A world in which `me` may call `default/tool:run` on the Gateway `default/gw`. */
export const world: string = together(
  openGateway,
  tool,
  policyWith('default/p', gw, `[${rule('"default/tool:run"')}]`),
);

/** Explains manifests that are given by standard input. */
export async function explain(text: string, ...args: readonly string[]): Promise<CliRun> {
  return cli(['explain', '-f', '-', ...args], {}, { input: text });
}

/** The lines about a caller who calls the tool `default/tool:run`, unless the flags say otherwise. */
export async function linesFor(text: string, claims: object, ...flags: readonly string[]): Promise<readonly string[]> {
  const asked = flags.length === 0 ? ['--tool=default/tool:run'] : flags;
  const { stdout } = await explain(text, `--claims=${JSON.stringify(claims)}`, ...asked);
  return stdout
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('note: '))
    .map((line) => line.replace('<stdin>:', ''));
}

export const me: { readonly sub: string } = { sub: 'me' };
