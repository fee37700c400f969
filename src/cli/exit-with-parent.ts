/**
 * Preloaded into a child process (`node --import`): ends the child when its parent is gone. A parent that was killed
 * sends no signal, but its IPC channel closes.
 */
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// The open channel alone must not keep the process alive.
process.channel?.unref()
