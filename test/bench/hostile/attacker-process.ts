import { attacks } from './attacks.ts';
import type { FromHostile, ToHostile } from './messages.ts';

/** A process of its own with hostile clients in it: `hostile-clients.ts <port>`. */
const [port = ''] = process.argv.slice(2);
const tell = (message: FromHostile): void => void process.send?.(message);
let relent = (): void => {};

process.on('message', (message: ToHostile) => {
  relent();
  if (message.kind === 'attack') {
    relent = attacks[message.name](Number(port));
    tell({ kind: 'attacking' });
  } else {
    relent = () => {};
    tell({ kind: 'relented' });
  }
});
process.on('disconnect', () => process.exit());
tell({ kind: 'ready' });
