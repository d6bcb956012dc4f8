// SugarCRM's own test client, @sugarcrm/thorn, against the emulator of Sugar 7 and later.
// Environment: THORN_SERVER_URL, THORN_ADMIN_USERNAME, THORN_ADMIN_PASSWORD.
'use strict';

global.afterEach = () => {}; // thorn expects to run inside of mocha
const assert = require('assert');
const { Agent, Fixtures } = require('@sugarcrm/thorn');

const claims = {
    async 'creates records in bulk, required fields filled in from metadata'() {
        const made = await Fixtures.create([
            { module: 'Leads', attributes: { first_name: 'Ana', title: 'Buyer' } },
            { module: 'Contacts', attributes: { last_name: 'Silva', do_not_call: true } },
            { module: 'Notes', attributes: { name: 'Newsletter opened' } },
        ]);
        assert.deepStrictEqual(Object.keys(made).sort(), ['Contacts', 'Leads', 'Notes']);
        assert.ok(made.Leads[0].last_name, 'thorn made up the required last name');
        assert.strictEqual(made.Contacts[0].do_not_call, true);
    },

    async 'finds what it made, and links it'() {
        const lead = Fixtures.lookup('Leads', { first_name: 'Ana' });
        const note = Fixtures.lookup('Notes', { name: 'Newsletter opened' });
        const linked = await Fixtures.link(lead, 'notes', note);
        assert.strictEqual(linked.related_records[0].id, note.id);
        const answer = await Agent.as(Agent.ADMIN).get(`Leads/${lead.id}/link/notes`);
        assert.deepStrictEqual(answer.body.records.map((r) => r.id), [note.id]);
    },

    async 'reads, changes and filters, in more than one version'() {
        const lead = Fixtures.lookup('Leads', { first_name: 'Ana' });
        const agent = Agent.as(Agent.ADMIN);
        const changed = await agent.put(`Leads/${lead.id}`, {
            title: 'CTO',
            email: [{ email_address: 'ana@example.com', primary_address: true }],
        });
        assert.strictEqual(changed.body.title, 'CTO');
        const read = await agent.on('v11').get(`Leads/${lead.id}`);
        assert.strictEqual(read.body.email[0].email_address, 'ana@example.com');
        const found = await agent.post('Leads/filter', {
            filter: [{ email: { $in: ['ana@example.com'] } }],
            fields: 'id',
        });
        assert.deepStrictEqual(found.body.records.map((r) => r.id), [lead.id]);
        assert.strictEqual(found.body.next_offset, -1);
    },

    async 'creates and links in one go'() {
        const list = { module: 'ProspectLists', attributes: { name: 'Newsletter' } };
        const lead = { module: 'Leads', attributes: { last_name: 'Linked' } };
        list.links = { leads: [lead] };
        await Fixtures.create([lead, list]);
        const { id } = Fixtures.lookup('ProspectLists', { name: 'Newsletter' });
        const answer = await Agent.as(Agent.ADMIN).get(`ProspectLists/${id}/link/leads`);
        assert.deepStrictEqual(answer.body.records.map((r) => r.last_name), ['Linked']);
    },

    async 'refreshes a token that has ended, as often as needed'() {
        for (let call = 0; call < 12; call += 1) {
            const answer = await Agent.as(Agent.ADMIN).get('me');
            assert.strictEqual(answer.body.current_user.type, 'admin');
        }
    },

    async 'refuses as an exception what is refused'() {
        const refused = await Agent.as(Agent.ADMIN).get('Leads/no-such-id').catch((answer) => answer);
        assert.strictEqual(refused.response.statusCode, 404);
        assert.strictEqual(refused.body.error, 'not_found');
    },

    async 'deletes in bulk what it made'() {
        const { id } = Fixtures.lookup('Leads', { first_name: 'Ana' });
        const answer = await Fixtures.cleanup();
        const statuses = answer.response.body.map((item) => item.status);
        assert.deepStrictEqual([...new Set(statuses)], [200]);
        const gone = await Agent.as(Agent.ADMIN).get(`Leads/${id}`).catch((refused) => refused);
        assert.strictEqual(gone.response.statusCode, 404);
    },
};

(async () => {
    for (const [claim, check] of Object.entries(claims)) {
        await check();
        console.log(`thorn 0.6.0    ${claim}`);
    }
})().catch((error) => {
    console.error(error);
    process.exit(1);
});
