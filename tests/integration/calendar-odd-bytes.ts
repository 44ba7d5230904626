/** Calendars in other character sets and encodings, with marks, NULs and values of vCalendar 1.0. */
import {
  calendar,
  LINES,
  plain,
  raw,
  swap16,
  TITLE,
  utf32,
  utf8,
  type OddInput,
} from './calendar-odd-support.ts';

/** The same word in sets that were declared for the whole answer. */
const declared: readonly OddInput[] = (
  [
    ['windows-1251', '\xcf\xf0\xe8\xe2\xe5\xf2', 'Привет'],
    ['koi8-r', '\xf0\xd2\xc9\xd7\xc5\xd4', 'Привет'],
    ['ISO-8859-2', '\xa3\xf3d\xbc', 'Łódź'],
    ['windows-1253', '\xca\xe1\xeb\xe7\xec\xdd\xf1\xe1', 'Καλημέρα'],
    ['iso-8859-15', 'caf\xe9 \xa4', 'café €'],
    ['Shift_JIS', '\x83\x5c\x83\x65\x83\x58\x83\x67', 'ソテスト'],
    ['EUC-JP', '\xa5\xc6\xa5\xb9\xa5\xc8', 'テスト'],
    ['ISO-2022-JP', '\x1b$B%F%9%H\x1b(B', 'テスト'],
    ['GB18030', '\xb2\xe2\xca\xd4', '测试'],
    ['gbk', '\xc4\xa3', '模'],
    ['Big5', '\xb4\xfa\xb8\xd5', '測試'],
    ['EUC-KR', '\xc5\xd7\xbd\xba\xc6\xae', '테스트'],
    ['cp936', '\xb2\xe2\xca\xd4', '测试'],
  ] as const
).map(([charset, bytes, reads]) => ({
  name: `declared ${charset}`,
  bytes: raw(calendar(TITLE, `DESCRIPTION:x ${bytes}`)),
  charset,
  reads: `x ${reads}`,
  notes: charset === 'ISO-2022-JP' || charset === 'gbk' ? [] : ['FEED_NOT_UTF8'],
}));

const encodings: readonly OddInput[] = [
  ...declared,
  {
    name: 'declared windows-1251, and UTF-8',
    bytes: utf8(calendar(TITLE, 'DESCRIPTION:Привет')),
    charset: 'windows-1251',
    reads: 'Привет',
  },
  {
    name: 'declared GB18030, and UTF-8',
    bytes: utf8(calendar(TITLE, 'DESCRIPTION:测试')),
    charset: 'GB18030',
    reads: '测试',
  },
  {
    name: 'declared nonsense',
    bytes: raw(calendar(TITLE, 'DESCRIPTION:caf\xe9')),
    charset: 'x-nobody',
    reads: 'café',
    notes: ['FEED_NOT_UTF8'],
  },
  {
    name: 'declared UTF-8, and Latin-1',
    bytes: raw(calendar(TITLE, 'DESCRIPTION:caf\xe9')),
    charset: 'utf-8',
    reads: 'café',
    notes: ['FEED_NOT_UTF8'],
  },
  {
    name: 'a set in the line',
    bytes: raw(calendar(TITLE, 'DESCRIPTION;CHARSET=windows-1251:\xcf\xf0\xe8\xe2\xe5\xf2')),
    reads: 'Привет',
    notes: ['FEED_NOT_UTF8'],
  },
  {
    name: 'a quoted set in lower case in the line',
    bytes: raw(calendar(TITLE, 'DESCRIPTION;charset="shift_jis":\x83\x65\x83\x58\x83\x67')),
    reads: 'テスト',
    notes: ['FEED_NOT_UTF8'],
  },
  {
    name: 'undeclared ISO-2022-JP',
    bytes: raw(calendar(TITLE, 'DESCRIPTION:\x1b$B%F%9%H\x1b(B')),
    reads: 'テスト',
  },
  {
    name: 'CESU-8',
    bytes: raw(calendar(`${TITLE} \xed\xa0\xbd\xed\xb8\x80`, 'DESCRIPTION:Zo\xc3\xab')),
    reads: '😀',
    notes: ['FEED_NOT_UTF8'],
  },
  {
    name: 'CESU-8 in the line of labels',
    bytes: raw(
      calendar(
        'SUMMARY:MRI',
        `DESCRIPTION:\xed\xa0\xbd\xed\xb8\x80\\nProject: 3010000.01\\nSubject: sub\xe2\x80\x93001\\nSession: ses-mri01`,
      ),
    ),
    notes: ['FEED_NOT_UTF8'],
  },
  {
    name: 'one bad byte',
    bytes: raw(
      calendar('SUMMARY:3010000.01 sub\xe2\x80\x93001 ses-mri01', 'DESCRIPTION:broken off: \xf0\x9f\x98'),
    ),
    notes: ['FEED_NOT_UTF8'],
  },
  {
    name: 'UTF-16 little-endian with a mark',
    bytes: Buffer.concat([raw('\xff\xfe'), Buffer.from(plain, 'utf16le')]),
  },
  { name: 'UTF-16 big-endian with a mark', bytes: Buffer.concat([raw('\xfe\xff'), swap16(plain)]) },
  { name: 'UTF-16 little-endian without a mark', bytes: Buffer.from(plain, 'utf16le') },
  { name: 'UTF-16 big-endian without a mark', bytes: swap16(plain), charset: 'utf-16be' },
  { name: 'UTF-32 with a mark', bytes: Buffer.concat([raw('\xff\xfe\0\0'), utf32(plain)]) },
  { name: 'a mark', bytes: utf8(`\ufeff${plain}`) },
  { name: 'two marks', bytes: utf8(`\ufeff\ufeff${plain}`), notes: ['FEED_SECOND_BOM'] },
  {
    name: 'a mark before the second calendar',
    bytes: utf8(`BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n\ufeff${plain}`),
    notes: ['FEED_SECOND_BOM'],
  },
  {
    name: 'a mark before a content line',
    bytes: utf8(plain.replace('SUMMARY', '\ufeffSUMMARY')),
    notes: ['FEED_SECOND_BOM'],
  },
  {
    name: 'a mark and UTF-16 with a second one',
    bytes: Buffer.concat([raw('\xff\xfe'), Buffer.from(`\ufeff${plain}`, 'utf16le')]),
    notes: [],
  },
  { name: 'NULs at the end', bytes: utf8(`${plain}\0\0\0\0`) },
  { name: 'NULs between lines', bytes: utf8(plain.replaceAll('\r\n', '\0\r\n')) },
  { name: 'the end of a file of DOS', bytes: utf8(`${plain}\x1a`) },
  {
    name: 'folded inside a character',
    bytes: raw(calendar('SUMMARY:3010000.01 sub\xe2\r\n \x80\x93001 ses-mri01')),
  },
];

const quoted = (value: string, ...params: string[]): Buffer =>
  raw(calendar('SUMMARY:MRI', `DESCRIPTION;${['ENCODING=QUOTED-PRINTABLE', ...params].join(';')}:${value}`));

const vcalendar: readonly OddInput[] = [
  {
    name: 'quoted-printable',
    bytes: quoted('Project: 3010000.01=0D=0ASubject: sub=2D001=0D=0ASession: ses-mri01'),
  },
  {
    name: 'quoted-printable with a soft line break',
    bytes: quoted('Project: 3010000.01=0D=0ASubject: su=\r\nb-001=0D=0ASession: ses-mri01'),
  },
  {
    name: 'quoted-printable with soft line breaks that are folded',
    bytes: quoted('Project: 3010000.01=0D=0ASubject: su=\r\n b-001=0D=0ASess=\r\n ion: ses-mri01'),
  },
  {
    name: 'quoted-printable with a blank behind the soft line break',
    bytes: quoted('Project: 3010000.01=0ASubject: su= \r\nb-001=0ASession: ses-mri01'),
  },
  {
    name: 'quoted-printable in lower case, folded',
    bytes: raw(
      calendar(
        'SUMMARY:MRI',
        'DESCRIPTION;encoding=quoted-printable:Project: 3010000.01=0aSubject: sub=2d0\r\n 01=0aSession: ses-mri01',
      ),
    ),
  },
  {
    name: 'quoted-printable as a bare parameter',
    bytes: raw(calendar('SUMMARY;QUOTED-PRINTABLE:3010000.01=20sub-001=20ses-mri01')),
  },
  {
    name: 'quoted-printable in UTF-8',
    bytes: quoted(
      'Project: 3010000.01=0ASubject: sub=E2=80=93001=0ASession: ses-mri01=0AZo=C3=AB',
      'CHARSET=UTF-8',
    ),
    reads: 'Zoë',
  },
  {
    name: 'quoted-printable in windows-1251',
    bytes: quoted(
      'Project: 3010000.01=0ASubject: sub-001=0ASession: ses-mri01=0A=CF=F0=E8=E2=E5=F2',
      'CHARSET=windows-1251',
    ),
    reads: 'Привет',
  },
  {
    name: 'quoted-printable with a soft line break before the next property',
    bytes: raw(calendar('DESCRIPTION;ENCODING=QUOTED-PRINTABLE:ends so=', TITLE)),
  },
  {
    name: 'base64',
    bytes: raw(
      calendar(
        'SUMMARY:MRI',
        `DESCRIPTION;ENCODING=BASE64:${utf8(LINES.replaceAll('\\n', '\n')).toString('base64')}`,
      ),
    ),
  },
  {
    name: 'vCalendar 1.0',
    bytes: raw(
      calendar(
        'SUMMARY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:3010000.01 sub-001 ses-mri01',
        'CLASS:PUBLIC',
        'DCREATED:20260101T000000Z',
      ).replace('VERSION:2.0', 'VERSION:1.0'),
    ),
  },
];

export const ODD_BYTES: readonly OddInput[] = [...encodings, ...vcalendar];
