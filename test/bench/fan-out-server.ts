import type { FromServer, ToServer } from './fan-out-messages.ts';
import { type SubjectName, startSubject } from './fan-out-subject.ts';

/** A process of its own with one server in it: `fan-out-server.ts <subject> <targets>`. */
const [name = 'gatehouse', targets = '10'] = process.argv.slice(2);
const subject = await startSubject(name as SubjectName, Number(targets));
const tell = (message: FromServer): void => void process.send?.(message);

process.on('message', ({ nodes }: ToServer) => {
  const goal = subject.acked() + nodes;
  const start = performance.now();
  const before = process.cpuUsage();
  subject.change();
  const look = (): void => {
    if (subject.acked() < goal) {
      setTimeout(look, 1);
      return;
    }
    const { user, system } = process.cpuUsage(before);
    tell({ kind: 'pushed', cpu: user + system, milliseconds: performance.now() - start });
  };
  look();
});
process.on('disconnect', () => process.exit());
tell({ kind: 'listening', port: subject.port });
