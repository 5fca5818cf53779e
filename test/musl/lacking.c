/*
 * Functions of glibc that Debian's libstdc++ and libgcc link to and musl lacks. Bun never uses
 * them, so they only need to exist.
 */
char __libc_single_threaded;
int __cpu_model[4];

int __cpu_indicator_init(void)
{
	return 0;
}
unsigned arc4random(void)
{
	return 0;
}
unsigned long __strftime_l(void)
{
	return 0;
}
int __cxa_thread_atexit_impl(void)
{
	return 0;
}
int _dl_find_object(void)
{
	return -1;
}
