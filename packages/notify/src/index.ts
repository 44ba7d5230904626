export {
  boardAddress,
  channelsOf,
  MAIL,
  recipientsOf,
  sendNotice,
  serviceAddress,
  type Notify,
  type Recipient,
} from './channels.ts';
export {
  chatBody,
  htmlOf,
  oneLine,
  subjectOf,
  textOf,
  type ChatKind,
  type Notice,
  type NoticeState,
  type Role,
} from './notice.ts';
export type { SendOutcome } from './outcome.ts';
