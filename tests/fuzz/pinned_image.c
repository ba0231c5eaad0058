/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory behind a descriptor in place of a map; of libbpf and pins.h what reading an image asks for. */
#include "tests/fuzz/pinned_image.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "daemon/list_format.h"
#include "daemon/pins_path.h"
#include "daemon/settings.h"
#include "tests/fuzz/fuzz.h"

static struct tg_settings settings;
static struct tg_list_line *image;
static uint32_t image_lines;
static int image_fd = -1;

/* Whole pages, as map_image() maps them. */
static size_t image_bytes(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return ((size_t)image_lines * TG_LIST_LINE_BYTES + page - 1) & ~(page - 1);
}

struct tg_list_line *pinned_image_new(uint32_t lines)
{
	image_lines = lines;
	image_fd = memfd_create("image", MFD_CLOEXEC);
	FUZZ_CHECK(image_fd >= 0 && !ftruncate(image_fd, (off_t)image_bytes()));
	image = mmap(NULL, image_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, image_fd, 0);
	FUZZ_CHECK(image != MAP_FAILED);
	return image;
}

void pinned_image_free(void)
{
	munmap(image, image_bytes());
	close(image_fd);
	image_fd = -1;
}

struct pins pinned_image_pins(const struct tg_list_line *line)
{
	memset(&settings, 0, sizeof(settings));
	memcpy(&settings.config[0].lists, line, sizeof(settings.config[0].lists));
	return (struct pins){ .settings = &settings };
}

/* Nothing is attached that could read another format. */
const struct tg_iface *list_format_other(const struct pins *pins)
{
	(void)pins;
	return NULL;
}

/* --- reading -------------------------------------------------------------------------------------- */

int pins_path_get(const char *path, uint32_t flags)
{
	FUZZ_CHECK(path[0] == '/' && !flags);
	return dup(image_fd);
}

int bpf_obj_get_info_by_fd(int fd, void *info, __u32 *size)
{
	FUZZ_CHECK(fd >= 0 && *size >= sizeof(struct bpf_map_info));
	*(struct bpf_map_info *)info = (struct bpf_map_info){
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(__u32),
		.value_size = TG_LIST_LINE_BYTES,
		.max_entries = image_lines,
	};
	return 0;
}

/* --- what changes something is not called --------------------------------------------------------- */

#define NOT_CALLED(type, name, ...) \
	type name(__VA_ARGS__) \
	{ \
		FUZZ_FAIL("%s() is called", #name); \
	}

#pragma GCC diagnostic ignored "-Wunused-parameter"
NOT_CALLED(int, bpf_map_create, enum bpf_map_type type, const char *name, __u32 key, __u32 value, __u32 entries,
	   const struct bpf_map_create_opts *opts)
NOT_CALLED(int, pins_path_pin, int fd, const char *path)
NOT_CALLED(int, pins_path_make, const char *path)
NOT_CALLED(int, pins_path_unlink, const char *path)
NOT_CALLED(int, pins_path_rmdir, const char *path)
NOT_CALLED(int, bpf_map_update_elem, int fd, const void *key, const void *value, __u64 flags)
NOT_CALLED(int, bpf_map_delete_elem, int fd, const void *key)
NOT_CALLED(int, pins_lock, void)
NOT_CALLED(int, pins_try_lock, void)
NOT_CALLED(int, pins_now_ms, const struct pins *p, uint64_t *now_ms)
NOT_CALLED(void, settings_begin, const struct pins *p, struct settings_change *change)
NOT_CALLED(void, settings_commit, struct pins *p, struct settings_change *change)
