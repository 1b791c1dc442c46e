import { attacks } from './attacks.ts';
import type { FromAttacker, ToAttacker } from './messages.ts';

/** Entry file of the process that runs the hostile clients: `attacker-process.ts <port>`. */
const [port = ''] = process.argv.slice(2);
const send = (message: FromAttacker): void => void process.send?.(message);
let stop = (): void => {};

process.on('message', (message: ToAttacker) => {
  stop();
  if (message.kind === 'attack') {
    stop = attacks[message.name](Number(port));
    send({ kind: 'attacking' });
  } else {
    stop = () => {};
    send({ kind: 'stopped' });
  }
});
process.on('disconnect', () => process.exit());
send({ kind: 'ready' });
