#!/bin/sh
# Start MySQL as the user mysql on /var/lib/mysql, which is filled on the first start.
set -eu
disk=/var/lib/mysql
data=$disk/data  # mysqld fills only what is empty, and the root of a disk has its lost+found
run=/run/mysql

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$run/tmp"
    chown -R mysql:mysql "$run"
    # Only what isn't its own yet: a restored copy is started without a change to its files.
    find "$disk" ! -user mysql -exec chown -h mysql:mysql {} +
    exec setpriv --reuid=mysql --regid=mysql --init-groups --inh-caps=-all "$0" "$@"
fi

chmod 0700 "$disk"

# The mark stays only if a first start was cut off: then what it left is worth nothing.
if [ -e "$disk/.unfinished" ]; then
    rm -rf "$data"
fi
if [ -e "$disk/.unfinished" ] || [ ! -d "$data/mysql" ]; then
    : >"$disk/.unfinished"
    mysqld --defaults-file=/etc/mysql/lab.cnf --initialize-insecure
    sync -f "$disk"
    rm "$disk/.unfinished"
fi

# Set on every start, so that a restored copy takes the password of its own pod. Not binlogged:
# copies are compared by their binlog.
umask 077
quoted=$(printf %s "${MYSQL_ROOT_PASSWORD:?is required}" | sed "s/[\\\\']/\\\\&/g" | tr -d '\n')
for host in localhost %; do
    printf "CREATE USER IF NOT EXISTS root@'%s';\n" "$host"
    printf "ALTER USER root@'%s' IDENTIFIED BY '%s';\n" "$host" "$quoted"
    printf "GRANT ALL ON *.* TO root@'%s' WITH GRANT OPTION;\n" "$host"
done | { echo "SET sql_log_bin = 0;"; cat; } >"$run/users.sql"

exec mysqld --defaults-file=/etc/mysql/lab.cnf --init-file="$run/users.sql" "$@"
