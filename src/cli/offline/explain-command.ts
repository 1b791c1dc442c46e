import type { AccessRequest, Answer, Claims, Question, TokenSigners } from '../../explain/model.ts';
import { oneOf } from '../flag-values.ts';
import { clusterAccess } from '../flags/input-flags.ts';
import { type FlagValues, UsageError } from '../flags.ts';
import { askServer } from '../remote/explain-client.ts';
import { systemClock } from '../system-clock.ts';
import type { ExitCode, Terminal } from '../terminal.ts';
import { answerJson, answerText } from './answer-reports.ts';
import { styleOf } from './style.ts';
import { openWorld, readText } from './world.ts';

/** Runs `explain`: 1 with `--exit-code` when nothing is allowed, also because a gateway refuses the token. */
export async function runExplain(flags: FlagValues, terminal: Terminal): Promise<ExitCode> {
  const format = oneOf('output', flags.text('output'), ['text', 'json']);
  requireSource(flags, terminal);
  const request = requestOf(flags);
  const caller = await callerOf(flags, terminal);
  const question = { gateway: flags.optional('gateway'), request, claims: caller?.claims };
  const { answer, notes: inputNotes } = await ask(question, flags, terminal);
  const signerNotes = answer.signers === undefined ? [] : (caller?.signerNotes(answer.signers) ?? []);
  const notes = [...(caller?.notes ?? []), ...signerNotes, ...inputNotes];
  const shown = caller?.fromToken === true ? caller.claims : undefined;
  const isRefused = caller?.isRefused === true;
  const text =
    format === 'json'
      ? answerJson(answer, notes, shown)
      : answerText(answer, { notes, isRefused, claims: shown }, styleOf(terminal));
  terminal.stdout.write(`${text}\n`);
  return flags.on('exit-code') && (isRefused || !allowsSomething(answer)) ? 1 : 0;
}

/** Requires exactly one of files, a cluster and a server. */
function requireSource(flags: FlagValues, { environment }: Terminal): void {
  const sources = [
    flags.list('filename').length > 0,
    flags.optional('server') !== undefined,
    clusterAccess(flags, environment) !== undefined,
  ].filter(Boolean);
  if (sources.length === 1) return;
  throw new UsageError(
    sources.length === 0
      ? 'say what to read: -f <file or folder>, --server <host:port>, or --cluster.'
      : 'read one of these: files (-f), a server (--server) or a cluster (--cluster).',
  );
}

/** Asks the server, or what was read once. */
async function ask(
  question: Question,
  flags: FlagValues,
  terminal: Terminal,
): Promise<{ readonly answer: Answer; readonly notes: readonly string[] }> {
  const server = flags.optional('server');
  if (server !== undefined) return askServer(server, question);
  const world = await openWorld(flags.list('filename'), flags, terminal);
  const answer = await world.answer(question);
  // What is left out is probably why.
  if ('message' in answer) throw new UsageError([answer.message, ...world.notes].join('\n'));
  return { answer, notes: world.notes };
}

function requestOf(flags: FlagValues): AccessRequest | undefined {
  const asked = (['tool', 'prompt', 'resource'] as const).flatMap((kind) => {
    const name = flags.optional(kind);
    return name === undefined ? [] : [{ kind, name }];
  });
  if (asked.length > 1) throw new UsageError('ask for one thing: --tool, --prompt or --resource.');
  return asked[0];
}

interface Caller {
  readonly claims: Claims;
  readonly fromToken: boolean;
  readonly notes: readonly string[];
  readonly isRefused: boolean;
  /** What agentgateway nodes would object to. */
  signerNotes(signers: TokenSigners): readonly string[];
}

async function callerOf(flags: FlagValues, terminal: Terminal): Promise<Caller | undefined> {
  const [claims, token, config] = [flags.optional('claims'), flags.optional('token'), flags.optional('config')];
  if (claims !== undefined && token !== undefined) {
    throw new UsageError('say who calls by --claims or by --token, one of the two.');
  }
  if (config !== undefined && token === undefined) {
    throw new UsageError('--config says whether a gateway accepts a token: give one by --token.');
  }
  if (claims === undefined && token === undefined) return undefined;
  // Loaded on demand: no other command needs the package that decodes tokens.
  const { claimsOfJson, decodeToken, signerObjections, tokenNotes } = await import('./token.ts');
  if (claims !== undefined)
    return { claims: claimsOfJson(claims), fromToken: false, notes: [], isRefused: false, signerNotes: () => [] };
  if (token === '-' && flags.list('filename').includes('-')) {
    throw new UsageError('standard input is either the token or a manifest: give one of the two as a file.');
  }
  const decoded = decodeToken(token === '-' ? await readText(terminal.stdin) : (token ?? ''));
  return {
    claims: decoded.claims,
    fromToken: true,
    ...(await tokenNotes(decoded.claims, config, systemClock.now())),
    // A configuration is one of the other gateways, whose signers are in it.
    signerNotes: (signers) => (config === undefined ? signerObjections(decoded, signers) : []),
  };
}

function allowsSomething(answer: Answer): boolean {
  return answer.verdict === 'grants' ? answer.grants.length > 0 : answer.verdict === 'allowed';
}
