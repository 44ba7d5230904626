/** C-ECHO as SCP (PS3.7 9.1.5.2). */
import { respond, STATUS, type Service } from './call.ts';

export const echoService: Service = async (call) => {
  await respond(call, { status: STATUS.success });
  return { status: STATUS.success, responses: 0 };
};
