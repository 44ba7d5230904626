export type { Database, Dialect, OnMigration, Row, Statements, Value } from './database.ts';
export { dropLeases, LEASE_MIGRATIONS, leaseOf, takeLease } from './lease.ts';
export { openLeaseServer } from './lease-server.ts';
export { openPostgres, type PostgresOptions, type Server } from './postgres.ts';
export { damageIn, openSqlite, quickCheck, type FileFaults, type SqliteOptions } from './sqlite.ts';
