import { programAttacks } from './attacks.ts';
import type { FromAttacker, StopAttack, ToAttacker } from './model.ts';

/** Entry file of the process that runs one attack at a time. */
const send = (message: FromAttacker): void => void process.send?.(message);
let stop: StopAttack = () => 0;

async function handle(message: ToAttacker): Promise<void> {
  if (message.kind === 'stop') return send({ kind: 'stopped', got: await stop() });
  const attack = programAttacks.find(({ name }) => name === message.name);
  if (attack === undefined) throw new Error(`there is no attack "${message.name}"`);
  // An attack may fail because the program has stopped to answer, which is a result and not an error of the bench.
  stop = await Promise.resolve(attack.start(message.victim, message.amount)).catch((error: unknown) => {
    console.error(`${message.name}:`, error);
    return () => 0;
  });
  send({ kind: 'attacking' });
}

process.on('message', (message: ToAttacker) => void handle(message));
// A connection that the program resets, at whatever moment, must not end the attack.
process.on('uncaughtException', (error) => console.error(error));
process.on('disconnect', () => process.exit());
send({ kind: 'ready' });
