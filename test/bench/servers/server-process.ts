import type { ChangeKind } from './bench-world.ts';
import { measure } from './measured-server.ts';
import type { ServerName } from './server-rig.ts';
import { startServer } from './servers.ts';

/** Entry file of a process with one server: `server-process.ts <name> <targets> <change>`. */
const [name = 'gatehouse', targets = '10', kind = 'target'] = process.argv.slice(2);
measure(await startServer(name as ServerName, Number(targets), kind as ChangeKind));
