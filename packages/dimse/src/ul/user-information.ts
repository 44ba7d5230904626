/** The user information item's sub-items (PS3.8 D.1, PS3.7 D.3.3), read. */
import { defined } from '@scanflow/booking/defined';
import type { Cursor } from './cursor.ts';
import type { RoleSelection, UserInformation } from './pdu.ts';

/** What is assumed of a peer that leaves the mandatory maximum length out: the least that everyone takes. */
const UNSTATED_MAXIMUM_LENGTH = 16_384;

/**
 * Reads the sub-items. Extended negotiation (0x56, 0x57), user identity (0x58) and unknown ones are skipped, with
 * their lengths checked: not answering them means that they are not agreed upon (PS3.7 D.3.3.5 to 7).
 */
export function decodeUser(cursor: Cursor): UserInformation {
  let maximumLength = UNSTATED_MAXIMUM_LENGTH;
  let implementationClassUid = '';
  const optional: {
    implementationVersionName?: string;
    asyncOperations?: UserInformation['asyncOperations'];
  } = {};
  const roles: RoleSelection[] = [];
  while (cursor.left > 0) {
    const type = cursor.u8();
    cursor.skip(1);
    const item = cursor.sub(cursor.u16());
    if (type === 0x51) maximumLength = item.u32();
    else if (type === 0x52) implementationClassUid = item.text(item.left);
    else if (type === 0x53) optional.asyncOperations = { invoked: item.u16(), performed: item.u16() };
    else if (type === 0x54) roles.push(role(item));
    else if (type === 0x55) optional.implementationVersionName = item.text(item.left);
  }
  const { implementationVersionName, asyncOperations } = optional;
  return {
    maximumLength,
    implementationClassUid,
    roles,
    ...defined({ implementationVersionName, asyncOperations }),
  };
}

function role(item: Cursor): RoleSelection {
  const sopClassUid = item.text(item.u16());
  return { sopClassUid, scu: item.u8() === 1, scp: item.u8() === 1 };
}
