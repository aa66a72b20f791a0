/*
 * A UDP socket for Node on Linux that takes and sends many datagrams with one call of the system, in memory that is made
 * once. Session Requests can have a queue of their own in the system, so that a flood of them fills that one only.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

/* As in batched-socket.ts. */
#define SLOTS 128
#define SLOT_OCTETS 1536
#define PEER_OCTETS 28
#define QUEUES 2
/* The longest text of a peer: an IPv6 address, a scope and a port. */
#define PEER_TEXT 80

_Static_assert(PEER_OCTETS == sizeof(struct sockaddr_in6), "a peer is a socket address");

/* Memory of JavaScript, and the system's view of it. */
typedef struct {
	napi_ref references[3];
	uint8_t *octets;
	int32_t *lengths;
	uint8_t *peers;
	struct mmsghdr messages[SLOTS];
	struct iovec vectors[SLOTS];
} Batch;

typedef struct Socket Socket;

typedef struct {
	uv_poll_t poll;
	Socket *socket;
	int descriptor;
	int events;
} Queue;

struct Socket {
	napi_env env;
	napi_async_context context;
	napi_ref listener;
	Queue queues[QUEUES];
	int queueCount;
	int open;
	bool isClosed;
	Batch in;
	Batch out;
	socklen_t peerOctets;
};

static napi_value undefined(napi_env env)
{
	napi_value value;
	napi_get_undefined(env, &value);
	return value;
}

static napi_value number(napi_env env, int64_t number)
{
	napi_value value;
	napi_create_int64(env, number, &value);
	return value;
}

/* Throws an Error whose code is the name of an errno, as Node's own do. */
static napi_value fail(napi_env env, int error)
{
	napi_throw_error(env, uv_err_name(uv_translate_sys_error(error)), strerror(error));
	return NULL;
}

/* The arguments of a function, and the socket that is the first of them; NULL where an error was thrown. */
static Socket *socketArgument(napi_env env, napi_callback_info info, size_t count, napi_value *arguments)
{
	Socket *socket = NULL;
	napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
	if (napi_get_value_external(env, arguments[0], (void **)&socket) != napi_ok || socket == NULL || socket->isClosed) {
		napi_throw_error(env, "ERR_SOCKET_DGRAM_NOT_RUNNING", "The socket is closed.");
		return NULL;
	}
	return socket;
}

static bool takeMemory(napi_env env, napi_value value, size_t octets, void **data, napi_ref *reference)
{
	napi_typedarray_type type;
	size_t length, offset;
	napi_value buffer;
	if (napi_get_typedarray_info(env, value, &type, &length, data, &buffer, &offset) != napi_ok)
		return false;
	size_t width = type == napi_uint8_array ? 1 : type == napi_int32_array ? 4 : 0;
	return length * width == octets && napi_create_reference(env, value, 1, reference) == napi_ok;
}

/* { octets, lengths, peers }, for SLOTS datagrams. */
static bool takeBatch(napi_env env, napi_value value, Batch *batch, socklen_t peerOctets)
{
	napi_value octets, lengths, peers;
	if (napi_get_named_property(env, value, "octets", &octets) != napi_ok ||
		napi_get_named_property(env, value, "lengths", &lengths) != napi_ok ||
		napi_get_named_property(env, value, "peers", &peers) != napi_ok)
		return false;
	if (!takeMemory(env, octets, SLOTS * SLOT_OCTETS, (void **)&batch->octets, &batch->references[0]) ||
		!takeMemory(env, lengths, SLOTS * 4, (void **)&batch->lengths, &batch->references[1]) ||
		!takeMemory(env, peers, SLOTS * PEER_OCTETS, (void **)&batch->peers, &batch->references[2]))
		return false;
	for (int i = 0; i < SLOTS; i++) {
		batch->vectors[i].iov_base = batch->octets + i * SLOT_OCTETS;
		batch->vectors[i].iov_len = SLOT_OCTETS;
		batch->messages[i].msg_hdr.msg_iov = &batch->vectors[i];
		batch->messages[i].msg_hdr.msg_iovlen = 1;
		batch->messages[i].msg_hdr.msg_name = batch->peers + i * PEER_OCTETS;
		batch->messages[i].msg_hdr.msg_namelen = peerOctets;
	}
	return true;
}

static void dropBatch(napi_env env, Batch *batch)
{
	for (int i = 0; i < 3; i++)
		if (batch->references[i] != NULL)
			napi_delete_reference(env, batch->references[i]);
}

/* Reads "ADDRESS" or "ADDRESS%SCOPE" of the family of a socket. */
static bool parseAddress(char *text, uint16_t port, struct sockaddr_in6 *address, bool isIPv6)
{
	memset(address, 0, sizeof *address);
	if (!isIPv6) {
		struct sockaddr_in *ipv4 = (struct sockaddr_in *)address;
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons(port);
		return inet_pton(AF_INET, text, &ipv4->sin_addr) == 1;
	}
	char *scope = strchr(text, '%');
	if (scope != NULL) {
		*scope = 0;
		address->sin6_scope_id = strtoul(scope + 1, NULL, 10);
	}
	address->sin6_family = AF_INET6;
	address->sin6_port = htons(port);
	return inet_pton(AF_INET6, text, &address->sin6_addr) == 1;
}

/* @returns a descriptor, or an errno below zero */
static int openOne(const struct sockaddr_in6 *address, socklen_t octets, int receiveOctets, bool isShared)
{
	int descriptor = socket(address->sin6_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return -errno;
	int on = 1;
	setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveOctets, sizeof receiveOctets);
	if ((isShared && setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
		bind(descriptor, (const struct sockaddr *)address, octets) != 0) {
		int error = errno;
		close(descriptor);
		return -error;
	}
	return descriptor;
}

/*
 * Opens the descriptors of both queues at one address. The system chooses one for each datagram by a program: those in
 * which some bits of an octet are all 0 go to the second, all others to the first.
 * @returns 0 or an errno below zero
 */
static int openBoth(
	Queue *queues, const struct sockaddr_in6 *address, socklen_t octets, const int *receiveOctets, uint32_t octet,
	uint32_t bits)
{
	for (int i = 0; i < QUEUES; i++) {
		int descriptor = openOne(address, octets, receiveOctets[i], true);
		if (descriptor < 0) {
			if (i > 0)
				close(queues[0].descriptor);
			return descriptor;
		}
		queues[i].descriptor = descriptor;
	}
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, octet),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { sizeof program / sizeof program[0], program };
	if (setsockopt(queues[0].descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter) == 0)
		return 0;
	int error = errno;
	close(queues[0].descriptor);
	close(queues[1].descriptor);
	return -error;
}

/* Where the system cannot tell the datagrams of the queues apart there is one for all. @returns 0 or an errno below zero */
static int openQueues(
	Socket *self, struct sockaddr_in6 *address, const int *receiveOctets, uint32_t octet, uint32_t bits)
{
	/* Without SO_REUSEPORT first: so that an address that another process has is refused. */
	socklen_t octets = self->peerOctets;
	int descriptor = openOne(address, octets, receiveOctets[0], false);
	if (descriptor >= 0 && self->queueCount == QUEUES) {
		/* The port that was drawn, where any would do. */
		getsockname(descriptor, (struct sockaddr *)address, &octets);
		close(descriptor);
		if (openBoth(self->queues, address, self->peerOctets, receiveOctets, octet, bits) == 0)
			return 0;
		self->queueCount = 1;
		descriptor = openOne(address, self->peerOctets, receiveOctets[0], false);
	}
	if (descriptor < 0)
		return descriptor;
	self->queues[0].descriptor = descriptor;
	return 0;
}

static void call(Socket *self, int queue, int events)
{
	napi_env env = self->env;
	napi_handle_scope scope;
	if (napi_open_handle_scope(env, &scope) != napi_ok)
		return;
	napi_value listener, receiver, arguments[2] = { number(env, queue), number(env, events) };
	napi_get_global(env, &receiver);
	if (napi_get_reference_value(env, self->listener, &listener) == napi_ok &&
		napi_make_callback(env, self->context, receiver, listener, 2, arguments, NULL) == napi_pending_exception) {
		napi_value error;
		napi_get_and_clear_last_exception(env, &error);
		napi_fatal_exception(env, error);
	}
	napi_close_handle_scope(env, scope);
}

static void watchQueue(Queue *queue, int events);

static void onEvents(uv_poll_t *poll, int status, int events)
{
	Queue *queue = poll->data;
	Socket *self = queue->socket;
	if (status < 0) {
		/* libuv has stopped looking: an error of the socket is taken off it, and it is looked at again. */
		int error;
		socklen_t octets = sizeof error;
		getsockopt(queue->descriptor, SOL_SOCKET, SO_ERROR, &error, &octets);
		watchQueue(queue, queue->events);
		events = UV_READABLE;
	}
	call(self, (int)(queue - self->queues), events);
}

static void watchQueue(Queue *queue, int events)
{
	queue->events = events;
	if (events == 0)
		uv_poll_stop(&queue->poll);
	else
		uv_poll_start(&queue->poll, events, onEvents);
}

static void onClosed(uv_handle_t *handle)
{
	Queue *queue = handle->data;
	if (--queue->socket->open == 0 && queue->socket->env == NULL)
		free(queue->socket);
}

static void closeAll(Socket *self)
{
	if (self->isClosed)
		return;
	self->isClosed = true;
	for (int i = 0; i < self->queueCount; i++) {
		uv_close((uv_handle_t *)&self->queues[i].poll, onClosed);
		/* At once, so that the address is free for the next socket: libuv looks at it no more. */
		close(self->queues[i].descriptor);
	}
}

static void onEnd(void *data)
{
	closeAll(data);
}

static void dropReferences(Socket *self)
{
	dropBatch(self->env, &self->in);
	dropBatch(self->env, &self->out);
	if (self->listener != NULL)
		napi_delete_reference(self->env, self->listener);
	if (self->context != NULL)
		napi_async_destroy(self->env, self->context);
}

/* Nobody refers to the socket any more. Its memory goes when the loop has let go of it too. */
static void finalize(napi_env env, void *data, void *hint)
{
	(void)hint;
	Socket *self = data;
	if (!self->isClosed)
		napi_remove_env_cleanup_hook(env, onEnd, self);
	closeAll(self);
	self->env = NULL;
	if (self->open == 0)
		free(self);
}

/*
 * open(address, port, receiveOctets, requestOctets, octet, bits, in, out, listener): those datagrams in which
 * the bits of the octet are all 0 go to the second queue; requestOctets is 0 for one queue only.
 */
static napi_value openSocket(napi_env env, napi_callback_info info)
{
	size_t count = 9;
	napi_value arguments[9], name, external;
	char text[PEER_TEXT];
	size_t length;
	uint32_t port, octet, bits;
	int receiveOctets[QUEUES];
	struct sockaddr_in6 address;
	struct uv_loop_s *loop;
	napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
	if (count != 9 || napi_get_value_string_utf8(env, arguments[0], text, sizeof text, &length) != napi_ok ||
		napi_get_value_uint32(env, arguments[1], &port) != napi_ok ||
		napi_get_value_int32(env, arguments[2], &receiveOctets[0]) != napi_ok ||
		napi_get_value_int32(env, arguments[3], &receiveOctets[1]) != napi_ok ||
		napi_get_value_uint32(env, arguments[4], &octet) != napi_ok ||
		napi_get_value_uint32(env, arguments[5], &bits) != napi_ok)
		return fail(env, EINVAL);
	bool isIPv6 = strchr(text, ':') != NULL;
	if (port > UINT16_MAX || !parseAddress(text, (uint16_t)port, &address, isIPv6))
		return fail(env, EINVAL);
	Socket *self = calloc(1, sizeof *self);
	if (self == NULL)
		return fail(env, ENOMEM);
	self->env = env;
	self->queueCount = receiveOctets[1] > 0 ? QUEUES : 1;
	self->peerOctets = isIPv6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	if (!takeBatch(env, arguments[6], &self->in, self->peerOctets) ||
		!takeBatch(env, arguments[7], &self->out, self->peerOctets) ||
		napi_create_reference(env, arguments[8], 1, &self->listener) != napi_ok ||
		napi_create_string_utf8(env, "best-udp", NAPI_AUTO_LENGTH, &name) != napi_ok ||
		napi_async_init(env, NULL, name, &self->context) != napi_ok ||
		napi_get_uv_event_loop(env, &loop) != napi_ok) {
		dropReferences(self);
		free(self);
		return fail(env, EINVAL);
	}
	int status = openQueues(self, &address, receiveOctets, octet, bits);
	if (status < 0) {
		dropReferences(self);
		free(self);
		return fail(env, -status);
	}
	for (int i = 0; i < self->queueCount; i++) {
		Queue *queue = &self->queues[i];
		queue->socket = self;
		queue->poll.data = queue;
		uv_poll_init(loop, &queue->poll, queue->descriptor);
		self->open++;
		watchQueue(queue, UV_READABLE);
	}
	napi_add_env_cleanup_hook(env, onEnd, self);
	napi_create_external(env, self, finalize, NULL, &external);
	return external;
}

/* receive(socket, queue, most) fills the first slots of the batch for what comes in. @returns how many */
static napi_value receive(napi_env env, napi_callback_info info)
{
	napi_value arguments[3];
	int32_t index = 0, most = 0;
	Socket *self = socketArgument(env, info, 3, arguments);
	if (self == NULL)
		return NULL;
	if (napi_get_value_int32(env, arguments[1], &index) != napi_ok || index < 0 || index >= self->queueCount ||
		napi_get_value_int32(env, arguments[2], &most) != napi_ok || most < 1 || most > SLOTS)
		return fail(env, EINVAL);
	Batch *in = &self->in;
	int got;
	do
		got = recvmmsg(self->queues[index].descriptor, in->messages, (unsigned)most, MSG_DONTWAIT, NULL);
	while (got < 0 && errno == EINTR);
	for (int i = 0; i < got; i++) {
		/* One that does not fit is as long as the slot: longer than any message. */
		in->lengths[i] = (int32_t)in->messages[i].msg_len;
		in->messages[i].msg_hdr.msg_namelen = self->peerOctets;
	}
	return number(env, got < 0 ? 0 : got);
}

/*
 * send(socket, first, count) sends slots of the batch for what goes out. One that the system refuses is lost, as
 * datagrams are. @returns how many slots are done with; the others have to wait until the socket is writable
 */
static napi_value sendSlots(napi_env env, napi_callback_info info)
{
	napi_value arguments[3];
	int32_t first = 0, wanted = 0;
	Socket *self = socketArgument(env, info, 3, arguments);
	if (self == NULL)
		return NULL;
	if (napi_get_value_int32(env, arguments[1], &first) != napi_ok ||
		napi_get_value_int32(env, arguments[2], &wanted) != napi_ok || first < 0 || wanted < 0 ||
		first > SLOTS - wanted)
		return fail(env, EINVAL);
	Batch *out = &self->out;
	for (int i = first; i < first + wanted; i++) {
		if (out->lengths[i] < 0 || out->lengths[i] > SLOT_OCTETS)
			return fail(env, EINVAL);
		out->vectors[i].iov_len = (size_t)out->lengths[i];
	}
	int done = 0;
	while (done < wanted) {
		int sent = sendmmsg(self->queues[0].descriptor, out->messages + first + done, (unsigned)(wanted - done), 0);
		if (sent > 0)
			done += sent;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			break;
		else if (errno != EINTR)
			done++;
	}
	return number(env, done);
}

/* watch(socket, queue, events): which of UV_READABLE and UV_WRITABLE the listener is told of. */
static napi_value watch(napi_env env, napi_callback_info info)
{
	napi_value arguments[3];
	int32_t index = 0, events = 0;
	Socket *self = socketArgument(env, info, 3, arguments);
	if (self == NULL)
		return NULL;
	if (napi_get_value_int32(env, arguments[1], &index) != napi_ok || index < 0 || index >= self->queueCount ||
		napi_get_value_int32(env, arguments[2], &events) != napi_ok)
		return fail(env, EINVAL);
	watchQueue(&self->queues[index], events & (UV_READABLE | UV_WRITABLE));
	return undefined(env);
}

/* peerText(socket, slot): "ADDRESS PORT" of a datagram that came in. */
static napi_value peerText(napi_env env, napi_callback_info info)
{
	napi_value arguments[2], value;
	uint32_t slot = 0;
	char address[INET6_ADDRSTRLEN], text[PEER_TEXT];
	Socket *self = socketArgument(env, info, 2, arguments);
	if (self == NULL)
		return NULL;
	if (napi_get_value_uint32(env, arguments[1], &slot) != napi_ok || slot >= SLOTS)
		return fail(env, EINVAL);
	const struct sockaddr_in6 *ipv6 = (const void *)(self->in.peers + slot * PEER_OCTETS);
	const struct sockaddr_in *ipv4 = (const void *)ipv6;
	int length;
	if (self->peerOctets == sizeof *ipv4) {
		inet_ntop(AF_INET, &ipv4->sin_addr, address, sizeof address);
		length = snprintf(text, sizeof text, "%s %u", address, ntohs(ipv4->sin_port));
	} else {
		inet_ntop(AF_INET6, &ipv6->sin6_addr, address, sizeof address);
		if (ipv6->sin6_scope_id == 0)
			length = snprintf(text, sizeof text, "%s %u", address, ntohs(ipv6->sin6_port));
		else
			length = snprintf(text, sizeof text, "%s%%%u %u", address, ipv6->sin6_scope_id, ntohs(ipv6->sin6_port));
	}
	napi_create_string_latin1(env, text, (size_t)length, &value);
	return value;
}

/* setPeer(socket, slot, text) writes where a datagram goes. @returns false where the text is no address of the socket's family */
static napi_value setPeer(napi_env env, napi_callback_info info)
{
	size_t length;
	napi_value arguments[3], value;
	uint32_t slot = 0;
	char text[PEER_TEXT];
	Socket *self = socketArgument(env, info, 3, arguments);
	if (self == NULL)
		return NULL;
	if (napi_get_value_uint32(env, arguments[1], &slot) != napi_ok || slot >= SLOTS ||
		napi_get_value_string_latin1(env, arguments[2], text, sizeof text, &length) != napi_ok)
		return fail(env, EINVAL);
	struct sockaddr_in6 address;
	char *port = strchr(text, ' ');
	bool isGood = port != NULL;
	if (isGood) {
		*port = 0;
		unsigned long portNumber = strtoul(port + 1, NULL, 10);
		isGood = portNumber > 0 && portNumber <= UINT16_MAX &&
				 parseAddress(text, (uint16_t)portNumber, &address, self->peerOctets == sizeof address);
	}
	if (isGood)
		memcpy(self->out.peers + slot * PEER_OCTETS, &address, PEER_OCTETS);
	napi_get_boolean(env, isGood, &value);
	return value;
}

static napi_value portOf(napi_env env, napi_callback_info info)
{
	napi_value arguments[1];
	struct sockaddr_in6 address;
	socklen_t octets = sizeof address;
	Socket *self = socketArgument(env, info, 1, arguments);
	if (self == NULL)
		return NULL;
	if (getsockname(self->queues[0].descriptor, (struct sockaddr *)&address, &octets) != 0)
		return fail(env, errno);
	/* The port stands at the same place in both families. */
	return number(env, ntohs(address.sin6_port));
}

static napi_value closeSocket(napi_env env, napi_callback_info info)
{
	napi_value arguments[1];
	Socket *self = socketArgument(env, info, 1, arguments);
	if (self == NULL)
		return NULL;
	napi_remove_env_cleanup_hook(env, onEnd, self);
	closeAll(self);
	dropReferences(self);
	return undefined(env);
}

NAPI_MODULE_INIT()
{
	const napi_property_descriptor properties[] = {
		{ "open", NULL, openSocket, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "receive", NULL, receive, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "send", NULL, sendSlots, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "watch", NULL, watch, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "peerText", NULL, peerText, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "setPeer", NULL, setPeer, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "portOf", NULL, portOf, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "close", NULL, closeSocket, NULL, NULL, NULL, napi_enumerable, NULL },
	};
	napi_define_properties(env, exports, sizeof properties / sizeof properties[0], properties);
	return exports;
}
